package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// flawVariable tells the child process of TestRunCatches which flaw to show.
const flawVariable = "STORETEST_FLAW"

// TestFlawedStore is the child process of TestRunCatches. Run by itself it is a
// store without a flaw, which must pass.
func TestFlawedStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return newTelling(os.Getenv(flawVariable)) })
}

// TestRunCatches breaks one promise at a time and sees the case fail that is
// there for it. The children run several at a time: most of them wait for what a
// flawed store never does.
func TestRunCatches(t *testing.T) {
	t.Parallel()
	turns := make(chan struct{}, 8)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, tt := range []struct{ flaw, group, by string }{
		{"makes an absent key an error", "Load", "an absent key is a zero entry that carries the clock"},
		{"has no clock for absent keys", "Load", "an absent key is a zero entry that carries the clock"},
		{"answers in its own order", "Load", "entries come in the order of the keys"},
		{"answers a key once", "Load", "a key asked for twice is answered twice"},
		{"takes ten keys", "Load", "a hundred keys are one call"},
		{"has a clock that stands still", "Load", "the clock goes on and never back"},
		{"overwrites with version 0", "Save", "version 0 never overwrites"},
		{"lets the last writer win", "Save", "a stale version conflicts and changes nothing"},
		{"takes a larger version for newer", "Save", "a version that never was conflicts"},
		{"creates whatever the version", "Save", "a version for an absent key conflicts and creates nothing"},
		{"counts versions per key", "Save", "a key never has the same version twice"},
		{"counts versions per key", "Delete", "a stale version conflicts after Delete and after re-creation"},
		{"counts versions per key", "Expiry", "the key of an expired entry is new"},
		{"counts versions per key", "Tags", "an entry that was found and deleted never comes back"},
		{"deletes by prefix", "Delete", "a deleted key is absent and its neighbours are not"},
		{"makes deleting nothing an error", "Delete", "an absent key is not an error"},
		{"keeps entries for ever", "Expiry", "an entry is there until ExpiresAt and absent from then on"},
		{"never moves an expiry", "Expiry", "Save moves the expiry both ways"},
		{"takes no time to live for no limit", "Expiry", "an entry without a future is refused and changes nothing"},
		{"keeps whole seconds", "Expiry", "ExpiresAt is kept to the millisecond, whatever its zone"},
		{"keeps no expiry", "Expiry", "ExpiresAt is kept to the millisecond, whatever its zone"},
		{"overflows in 2038", "Expiry", "a far expiry is kept"},
		{"ends a value at NUL", "Values", "a value is bytes, not text"},
		{"stores text", "Values", "a value is bytes, not text"},
		{"takes an empty value for none", "Values", "an empty value is an entry"},
		{"keeps the caller's value", "Values", "the caller may reuse value and tags after Save"},
		{"writes into the caller's value", "Values", "Save does not write to the value"},
		{"writes into its own value", "Values", "what was loaded stays as it was"},
		{"ignores case", "Limits", "keys are told apart byte by byte"},
		{"takes short keys", "Limits", "the longest key is taken"},
		{"takes small values", "Limits", "the largest value is taken"},
		{"has no limits", "Limits", "what breaks a limit is refused and changes nothing"},
		{"reads on after the context ended", "Context", "a call with a cancelled context fails with its error and writes nothing"},
		{"writes on after the context ended", "Context", "a call after its deadline fails with its error and writes nothing"},
		{"deletes on after the context ended", "Context", "a call with a cancelled context fails with its error and writes nothing"},
		{"searches on after the context ended", "Context", "a call with a cancelled context fails with its error and writes nothing"},
		{"watches on after the context ended", "Context", "a call after its deadline fails with its error and writes nothing"},
		{"dies of a cancelled call", "Context", "cancellation in the middle of calls leaves a store that works"},
		{"does not lock", "Concurrency", "of many that create a key exactly one wins"},
		{"does not lock", "Concurrency", "of many that replace a version exactly one wins"},
		{"writes in two halves", "Concurrency", "a reader sees one version, whole"},
		{"matches tags by prefix", "Tags", "Tagged finds every entry that carries the tag, and no other"},
		{"matches tags by pattern", "Tags", "tags are told apart byte by byte"},
		{"finds an entry once per mention", "Tags", "each entry is found once, however many there are"},
		{"finds a page", "Tags", "each entry is found once, however many there are"},
		{"finds nothing while others write", "Tags", "an entry that stays is found while others come and go"},
		{"adds tags", "Tags", "Save replaces the tags"},
		{"tags before it compares", "Tags", "a refused Save changes no tags"},
		{"finds the dead", "Tags", "a deleted or expired entry is not found and its tags do not come back"},
		{"keeps the tags of the deleted", "Tags", "a deleted or expired entry is not found and its tags do not come back"},
		{"tells of deletions only", "Watch", "a Save is told"},
		{"does not tell of creations", "Watch", "the creation of an absent key is told"},
		{"does not tell of deletions", "Watch", "a Delete is told"},
		{"tells before it writes", "Watch", "by the time that a change is told Load shows it"},
		{"tells once", "Watch", "every change is told anew"},
		{"listens a moment later", "Watch", "a change that begins once Watch has returned is told, however soon"},
		{"tells one watcher", "Watch", "every watcher of a key is told"},
		{"waits for its watchers", "Watch", "a watcher that does not read holds up nobody"},
		{"loses a watcher to the next key", "Watch", "who watches a key is told while others change theirs"},
		{"forgets all when one leaves", "Watch", "watchers that come and go miss nothing"},
		{"forgets all when one leaves", "Watch", "a watch falls silent when its context ends, and its channel stays open"},
		{"tells on after the context ended", "Watch", "a watch falls silent when its context ends, and its channel stays open"},
		{"closes the channel", "Watch", "a watch falls silent when its context ends, and its channel stays open"},
		{"leaves a goroutine behind", "Watch", "a watch that has ended leaves no goroutine behind"},
	} {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			name := strings.ReplaceAll(tt.by, " ", "_")
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFlawedStore$/^"+tt.group+"$/^"+name+"$")
			cmd.Env = append(os.Environ(), flawVariable+"="+tt.flaw)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFlawedStore/"+tt.group+"/"+name) {
				t.Errorf("a store that %s passes %q:\n%s", tt.flaw, tt.by, out)
			} else if !strings.Contains(string(out), "why it matters: ") {
				t.Errorf("the failure of a store that %s does not say why it matters:\n%s", tt.flaw, out)
			}
		})
	}
}
