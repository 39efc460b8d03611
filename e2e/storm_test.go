package e2e_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// Storms on three processes. The strict provider kills the grant when a refresh
// token comes twice, so a single call too many ends every one of these tests.

// Three hundred requests on three processes, as often as tokens expire: one call
// each time, and nothing but answers (R1). No other test runs beside it, and one
// store after the other: where processors are short, a store that takes longer
// than 800 ms is told as an outage.
func TestA1StormOnThreeProcessesIsOneCall(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *sharedStore{
		"redis": startRedis, "postgres": startPostgres, "sqlite": startSQLite,
	} {
		t.Run(name, func(t *testing.T) {
			const life = 3 * time.Second
			rounds := sized(2, 500)
			op := startProvider(t, opConfig{AccessTTL: life})
			f := newFleet(t, start(t))
			f.Start(op)
			v := f.SignedIn("ada")
			before := v.Ask(f.URL + "/token").Text
			for round := range rounds {
				pass(t, life+200*time.Millisecond)
				op.Next(fault{Calls: 1, Delay: rand.N(sized(500*time.Millisecond, 3*time.Second))})
				answers := f.Storm(v, sized(100, 200), "/token")
				answers.mustAllBe(t, http.StatusOK)
				now := slices.Collect(maps.Keys(answers.texts))
				if len(now) != 1 || now[0] == before {
					t.Fatalf("round %d: %d different tokens, or the old one", round, len(now))
				}
				before = now[0]
				want := opStats{Calls: 2 + round, Logins: 1, Refreshes: 1 + round, Refreshed: 1 + round, Userinfo: 1, MaxInFlight: 1}
				if got := op.Stats(); got != want {
					t.Fatalf("round %d: stats %+v, want %+v", round, got, want)
				}
			}
		})
	}
}

// A client that leaves at any moment of a refresh takes nothing along, whichever
// replica is asked next (R3).
func TestA2ClientThatLeavesAtAnyMomentOfARefreshLosesNothing(t *testing.T) {
	t.Parallel()
	const (
		life   = 4 * time.Second
		points = 24
		step   = 10 * time.Millisecond // the refresh itself takes 20 steps
	)
	rounds := sized(1, 50)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		visitors := f.SignedInAll(points)
		for round := range rounds {
			pass(t, life+200*time.Millisecond)
			op.Next(fault{Calls: points, Delay: 20 * step})
			var all sync.WaitGroup
			for i, v := range visitors {
				all.Go(func() {
					ctx, leave := context.WithTimeout(context.WithValue(t.Context(), replicaKey{}, i%replicas), time.Duration(i)*step)
					v.askFor(ctx, f.URL+"/token")
					leave()
					if p := f.Ask(v, (i+1)%replicas, "/token"); p.Status != http.StatusOK {
						t.Errorf("left after %s: the next request gets %d %s", time.Duration(i)*step, p.Status, p.Text)
					}
				})
			}
			all.Wait()
			if got, want := op.Stats(), points*(round+1); got.Refreshes != want || got.Refreshed != want || got.Replays != 0 {
				t.Fatalf("round %d: stats %+v, want one refresh for each of %d", round, got, points)
			}
		}
	})
}

// A provider that takes its time: the call is waited for, and nobody makes a
// second one beside it.
func TestR2SlowProviderIsAskedOnce(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{9 * time.Second, 12 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			op := startProvider(t, opConfig{})
			f := newFleet(t, startRedis(t))
			f.Start(op)
			v := f.SignedIn("ada")
			op.Next(fault{Calls: 1, Delay: delay})
			f.Storm(v, 10, "/.auth/refresh").mustAllBe(t, http.StatusOK)
			if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 || got.MaxInFlight != 1 {
				t.Errorf("stats %+v: want one refresh", got)
			}
		})
	}
}

// A provider that takes longer than a call may: the token that it rotated is
// lost. There is one more try when nothing can be in flight any longer, then the
// user is asked to sign in.
func TestR2ProviderThatNeverAnswersIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	op := startProvider(t, opConfig{AccessTTL: life})
	f := newFleet(t, startRedis(t))
	f.Start(op)
	v := f.SignedIn("ada")
	pass(t, life+200*time.Millisecond)
	op.Next(fault{Calls: 1, Delay: 25 * time.Second})

	f.Storm(v, 10, "/token").mustAllBe(t, http.StatusServiceUnavailable)
	if got := f.Recover(v, lease+quarantine+10*time.Second); got != http.StatusUnauthorized {
		t.Errorf("decided as %d, want to be asked to sign in", got)
	}
	if got := op.Stats(); got.Refreshes > 2 || got.MaxInFlight != 1 {
		t.Errorf("stats %+v: want two calls at most, in turn", got)
	}
}

// Storm lets a visitor ask every replica n times, all at once.
func (f *fleet) Storm(v *visitor, n int, path string) *answers {
	f.t.Helper()
	a := newAnswers()
	var all sync.WaitGroup
	for i := range n * replicas {
		all.Go(func() { a.add(f.Ask(v, i%replicas, path)) })
	}
	all.Wait()
	return a
}

// answers counts what was answered.
type answers struct {
	mu       sync.Mutex
	statuses map[int]int
	texts    map[string]int
}

func newAnswers() *answers {
	return &answers{statuses: make(map[int]int), texts: make(map[string]int)}
}

func (a *answers) add(p page) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.statuses[p.Status]++
	a.texts[p.Text]++
}

func (a *answers) mustAllBe(t testing.TB, status int) {
	t.Helper()
	if len(a.statuses) != 1 || a.statuses[status] == 0 {
		t.Errorf("answers by status: %v, want nothing but %d", a.statuses, status)
	}
}
