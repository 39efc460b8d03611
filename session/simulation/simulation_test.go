// Package simulation_test runs the real code of four replicas (middleware,
// routes, session manager, grants, sealed store) against a store, a network,
// providers and users that do what such things do on bad days, one virtual hour
// after the other (docs/threats.md R18). Nothing in here is a model of the code:
// what is judged is what reaches the store, the providers, the APIs and the
// browsers. Read world_test.go first.
//
// A seed decides everything. Whatever takes time takes a time of its own, to the
// nanosecond, so that no two things happen at the same instant of the virtual
// clock and the scheduler has nothing to decide.
//
// What must hold, and where it is judged:
//
//	I1   one presentation of a refresh token at a time, and one more if its class allows   judge_grant, judge_call
//	I2   no token that is neither stored nor in escrow; what is in escrow is served        judge_visit
//	I3   no answer of a provider gets lost: stored, superseded, in escrow, or revoked      judge_grant, judge_call
//	I4   a generation follows from the one before, by the token that its attempt is over   judge_grant, judge_call
//	I5   a grant is declared dead only beside its own attempt, for its own token           judge_grant
//	I6   what passes ends nothing: no token, no session, no cookie, no page of ours        judge_grant, judge_session, judge_visit
//	I7   a token that lives is served, one that died is not                                judge_visit
//	I8   what has ended stays ended, everywhere, and its tokens are revoked                ledger, judge_visit, ending, finale
//	I9   a session keeps its cookie, a sign-in gets a new one                              judge_visit, browser
//	I10  a client that leaves takes nothing along                                          line
//	I11  no token in a session's row, so that no write of it touches one                   judge_session
//	I12  a session lives on with its provider's consent, and below its ceiling             judge_session, judge_visit
//	I13  every wait has its bound, every store operation its deadline                      shelf, judge_visit
//	I14  back-off, Retry-After and the cap of calls hold; nobody refreshes what is fresh   judge_grant, line
//	I15  a token just issued is fresh                                                      judge_grant
//	I16  nobody gets anybody else's token, or one for another audience                     judge_grant, judge_visit
//	I17  an answer about somebody else ends the session                                    finale
//	I18  no token in a log, an error or an event, and no reason that is not on the list    ear, judge_visit
//	I19  nothing stays in doubt longer than it must; one probe, and no more                judge_grant, judge_call, finale
//	I20  when nothing is wrong, everything works                                           judge_visit
//	I21  and nobody waits                                                                  judge_visit
package simulation_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

const (
	seedsVariable = "EASYAUTH_SEEDS" // how many seeds to run
	seedVariable  = "EASYAUTH_SEED"  // run this one, and print all that happens
	partVariable  = "EASYAUTH_PART"  // first/step/count: what a child process runs
)

// TestSimulation spreads the seeds over one process per core. A process runs one
// seed at a time on one processor, because the source of randomness that makes a
// seed repeat itself belongs to the whole process.
func TestSimulation(t *testing.T) {
	if part := os.Getenv(partVariable); part != "" {
		runPart(t, part)
		return
	}
	if one := os.Getenv(seedVariable); one != "" {
		out, err := child(t, one+"/1/1", "-test.v").CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	count := defaultSeeds
	if n, err := strconv.Atoi(os.Getenv(seedsVariable)); err == nil {
		count = n
	} else if testing.Short() {
		count /= 10
	}
	began := time.Now()
	cores := min(runtime.NumCPU(), count)
	var (
		all sync.WaitGroup
		mu  sync.Mutex
		sum tally
	)
	for i := range cores {
		all.Go(func() {
			share := (count - i + cores - 1) / cores
			out, err := child(t, fmt.Sprintf("%d/%d/%d", i+1, cores, share)).CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for line := range bytes.Lines(out) {
				if text, ok := strings.CutPrefix(string(line), tallyMark); ok {
					sum.read(text)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	t.Logf("%d seeds (1 to %d) on %d cores in %v, %v a seed and core:\n%s", count, count, cores,
		took.Round(time.Millisecond), (took * time.Duration(cores) / time.Duration(count)).Round(time.Millisecond), sum.String())
	if count >= 200 {
		for _, name := range sum.missing() {
			t.Errorf("in %d seeds there was no %q: the simulation has lost a part of what it is for", count, name)
		}
	}
}

func child(t *testing.T, part string, args ...string) *exec.Cmd {
	args = append(args, "-test.run=^TestSimulation$", "-test.timeout=24h")
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), partVariable+"="+part, "GOMAXPROCS=1", "GOGC=400")
	return cmd
}

// tallyMark begins the line in which a child says what it has seen.
const tallyMark = "simulation-tally "

func runPart(t *testing.T, part string) {
	var first, step, count int
	if _, err := fmt.Sscanf(part, "%d/%d/%d", &first, &step, &count); err != nil {
		t.Fatal(err)
	}
	var sum tally
	failed := 0
	for i := range count {
		seed := uint64(first + i*step)
		ok := t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, seed)
			synctest.Test(t, func(t *testing.T) { hour(t, seed, &sum) })
		})
		if !ok {
			if failed++; failed == 3 {
				break // more of the same helps nobody
			}
		}
	}
	fmt.Println(tallyMark + sum.line())
}
