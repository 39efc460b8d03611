package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store/memstore"
)

const (
	replicaCount = 4
	userCount    = 20
	simulated    = time.Hour
)

// world is everything outside the code under test, and what is known of it.
type world struct {
	t     *testing.T
	seed  uint64
	begun time.Time
	style style
	log   *slog.Logger
	keys  [][]byte

	ctx  context.Context // ends when the hour does, or when something is broken
	stop context.CancelFunc

	// mu guards everything below, and everything that belongs to the world: what
	// rests in the store, what the providers know, what was noted of it. It is
	// never held while anybody waits.
	mu       sync.Mutex
	disk     disk
	idps     []*idp
	replicas [replicaCount]*replica
	users    []*browser
	logins   []*login // all there ever were
	marks    []mark
	weather  weather
	ledger   ledger
	diary    []entry
	breaches []string
	sum      tally
	closing  bool // nobody begins anything new
	work     sync.WaitGroup
}

// hour lets one virtual hour pass.
func hour(t *testing.T, seed uint64, sum *tally) {
	w := &world{t: t, seed: seed, begun: time.Now()}
	w.ctx, w.stop = context.WithTimeout(context.Background(), simulated)
	defer w.stop()
	d := w.dice("world", 0)
	w.style = newStyle(d)
	w.keys = [][]byte{[]byte("simulated key, 32 bytes or longer"), []byte("an older one, for the rows before")}
	w.log = slog.New(&ear{w: w})
	w.disk = disk{mem: memstore.New()}
	w.ledger = newLedger()
	w.idps = newIdps(w, d)
	for slot := range w.replicas {
		w.replicas[slot] = w.start(slot, 1)
	}
	for i := range userCount {
		w.users = append(w.users, newBrowser(w, i))
	}
	for _, b := range w.users {
		w.work.Go(b.live)
	}
	w.work.Go(w.changeWeather)
	<-w.ctx.Done()
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.work.Wait()
	if !w.broken() {
		w.finale()
	}
	for _, r := range w.replicas {
		r.close()
	}
	time.Sleep(5 * time.Minute) // whatever is on its way arrives
	if !w.broken() {
		w.settleAccounts()
	}
	sum.merge(w.sum)
	if w.broken() {
		t.Errorf("seed %d (repeat it with %s=%d go test -run TestSimulation -v ./session/simulation):\n%s\nwhat happened last:\n%s",
			seed, seedVariable, seed, strings.Join(w.breaches, "\n"), w.last())
	} else if testing.Verbose() {
		t.Log(w.last())
	}
}

// at is how long the hour lasts already.
func (w *world) at() time.Duration { return time.Since(w.begun) }

// count adds to the tally.
func (w *world) count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sum.add(name)
}

func (w *world) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.breaches) > 0
}

// entry is a line of the diary, written out only when somebody reads it.
type entry struct {
	at     time.Duration
	format string
	args   []any
}

func (e entry) String() string {
	return fmt.Sprintf("%12s  ", e.at.Truncate(time.Microsecond)) + fmt.Sprintf(e.format, e.args...)
}

// lastEntries is how much of the diary is printed when a seed fails.
const lastEntries = 150

// note writes into the diary. w.mu is held.
func (w *world) note(format string, args ...any) {
	if len(w.diary) > 4*lastEntries && !testing.Verbose() {
		w.diary = append(w.diary[:0], w.diary[len(w.diary)-lastEntries:]...)
	}
	w.diary = append(w.diary, entry{w.at(), format, args})
}

// breach notes that an invariant does not hold. w.mu is held.
func (w *world) breach(invariant, format string, args ...any) {
	text := fmt.Sprintf("%s: at %v: ", invariant, w.at()) + fmt.Sprintf(format, args...)
	w.breaches = append(w.breaches, text)
	w.note("BREACH of %s", text)
	w.stop()
}

// last is the end of the diary, or all of it for a seed that is run alone.
func (w *world) last() string {
	from := max(len(w.diary)-lastEntries, 0)
	if testing.Verbose() {
		from = 0
	}
	var b strings.Builder
	for _, e := range w.diary[from:] {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// style is what a seed decides for its whole hour.
type style struct {
	lifetime, grace, idle, absolute time.Duration

	accessLife   time.Duration // of access tokens
	untold       float64       // how often their life is not told
	storeLatency time.Duration
	endOnRevoke  bool
	lazyTokens   bool
	think        time.Duration // between two visits of a user
	noise        float64       // how many calls go wrong in a storm
	jumps        bool          // the store's clock is put right now and then
	maxCalls     int           // at one provider, of one replica; 0: as many as the code allows by itself
}

func newStyle(d dice) style {
	s := style{
		lifetime:     pick[time.Duration](d, 8, 12, 20, 90) * time.Minute,
		grace:        pick[time.Duration](d, -1, 5, 15, 60) * time.Minute,
		idle:         pick[time.Duration](d, 0, 0, 8, 20) * time.Minute,
		absolute:     pick[time.Duration](d, 0, 0, 35, 50) * time.Minute,
		accessLife:   pick[time.Duration](d, 60, 90, 150, 300) * time.Second,
		untold:       pick(d, 0, 0, 0.05),
		storeLatency: pick(d, 300*time.Microsecond, time.Millisecond, 4*time.Millisecond),
		endOnRevoke:  d.chance(0.3),
		lazyTokens:   d.chance(0.2),
		think:        pick[time.Duration](d, 60, 90, 150) * time.Second,
		noise:        pick(d, 0.05, 0.15, 0.3),
		jumps:        d.chance(0.4),
		maxCalls:     pick(d, 0, 0, 1, 2),
	}
	return s
}
