package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

const (
	lease      = 20 * time.Second // of an attempt
	quarantine = 30 * time.Second // until a strict provider is asked again, once
)

// answered is the point at which a client has its answer: what K6 is.
const answered = "answered"

// Killed at any point of a refresh, with three processes: what the others make
// of it (R4). Where the answer was lost, and a used token is worth nothing, the
// user signs in once more, and no client can promise better.
func TestA3KilledAtSixPointsOfARefresh(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	for class, start := range map[string]func(t *testing.T, f *fleet){
		"strict": func(t *testing.T, f *fleet) {
			f.Start(startProvider(t, opConfig{AccessTTL: life}), "-class", "strict")
		},
		"graced": func(t *testing.T, f *fleet) {
			f.Start(startTestProvider(t, providertest.Config{AccessTokenLifetime: life, Rotation: providertest.Graced}),
				"-class", "graced", "-window", "30s")
		},
		"graced by Dex": func(t *testing.T, f *fleet) {
			f.Start(startDex(t, f.URL, dexConfig{AccessTTL: life, Reuse: 30 * time.Second}), "-class", "graced", "-window", "30s")
		},
		"reusable": func(t *testing.T, f *fleet) {
			f.Start(startTestProvider(t, providertest.Config{AccessTokenLifetime: life, Rotation: providertest.Reusable}),
				"-class", "reusable")
		},
	} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			onEachStore(t, func(t *testing.T, st *sharedStore) {
				for range sized(1, 5) { // oidc-provider remembers no more than a thousand things
					f := newFleet(t, st)
					start(t, f)
					killAtEveryPoint(t, f, life, class)
				}
			})
		})
	}
}

func killAtEveryPoint(t *testing.T, f *fleet, life time.Duration, class string) {
	points := []string{beginning, locked, presented, committing, committed, answered}
	people := f.SignedInAll(sized(1, 10)*len(points) + 1)
	bystander, victims := people[0], people[1:]
	pass(t, life+200*time.Millisecond)

	for n, v := range victims {
		i, point := n%replicas, points[n%len(points)]
		f.killAt(v, i, point)
		// At the one that is not killed next: it may renew what is aging behind the request.
		if p := f.Ask(bystander, (i+2)%replicas, "/token"); p.Status != http.StatusOK {
			t.Errorf("killed at %s, and somebody else's token is answered %d %s", point, p.Status, p.Text)
		}
		f.replicas[i].Start()
	}

	var recovering sync.WaitGroup
	for n, v := range victims {
		recovering.Go(func() {
			point, began := points[n%len(points)], time.Now()
			status := f.Recover(v, lease+quarantine+10*time.Second)
			took := time.Since(began)
			lost := class == "strict" && (point == presented || point == committing)
			if status != http.StatusOK && !(lost && status == http.StatusUnauthorized) {
				t.Errorf("killed at %s: the token is answered %d after %s", point, status, took)
			}
			limit := lease + 5*time.Second
			switch {
			case point == beginning || point == committed || point == answered:
				limit = 5 * time.Second
			case class == "strict":
				limit += quarantine
			}
			if took > limit {
				t.Errorf("killed at %s: decided after %s, want %s at most", point, took, limit)
			}
			f.SignIn(v, fmt.Sprintf("user%d", n+1))
			if p := v.Ask(f.URL + "/token"); p.Status != http.StatusOK {
				t.Errorf("killed at %s: signed in again, the token is answered %d", point, p.Status)
			}
		})
	}
	recovering.Wait()
}

// killAt kills a replica while it refreshes for a visitor.
func (f *fleet) killAt(v *visitor, replica int, point string) {
	f.t.Helper()
	r := f.replicas[replica]
	if point == answered {
		f.Ask(v, replica, "/token")
	} else {
		r.KillAt(point)
		go f.Try(v, replica, "/token")
		r.AwaitPoint(point)
	}
	r.Kill()
}

// Recover asks the replicas, or those of them that are named, for a token until
// it is decided, and returns the status; meanwhile the answer has to be 503, and
// the session has to live.
func (f *fleet) Recover(v *visitor, limit time.Duration, among ...int) (status int) {
	f.t.Helper()
	if among == nil {
		among = []int{0, 1, 2}
	}
	turn := 0
	within(limit, func() bool {
		i := among[turn%len(among)]
		turn++
		p := f.Ask(v, i, "/token")
		status = p.Status
		if status == http.StatusUnauthorized && !strings.Contains(p.Text, "reauth_required") {
			f.t.Errorf("the session ended: %s", p.Text)
		}
		if p := f.Ask(v, i, "/account"); p.Status != http.StatusOK {
			f.t.Errorf("the session is answered %d: %s", p.Status, p.Text)
		}
		return status != http.StatusServiceUnavailable
	})
	return status
}

// A process that is frozen past its lease and wakes up has the only refresh
// token in its hands, and it is kept (E6). Nobody asked the provider meanwhile.
func TestA4FrozenHolderKeepsTheRefreshToken(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	for _, point := range []string{presented, committing} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			onEachStore(t, func(t *testing.T, st *sharedStore) {
				op := startProvider(t, opConfig{AccessTTL: life})
				f := newFleet(t, st)
				f.Start(op)
				v := f.SignedIn("ada")
				pass(t, life+200*time.Millisecond)

				f.replicas[0].StopAt(point)
				waiting := make(chan page)
				go func() { waiting <- f.Try(v, 0, "/token") }()
				f.replicas[0].AwaitPoint(point)
				pass(t, lease+2*time.Second)
				mustWait(t, f.Ask(v, 1, "/token"))
				f.replicas[0].Resume()
				<-waiting
				if status := f.Recover(v, 3*time.Second); status != http.StatusOK {
					t.Errorf("after the thaw: %d", status)
				}
				for i := range replicas {
					if p := f.Ask(v, i, "/token"); p.Status != http.StatusOK {
						t.Errorf("replica %d after the thaw: %d %s", i, p.Status, p.Text)
					}
				}
				pass(t, life+200*time.Millisecond)
				if p := f.Ask(v, 2, "/token"); p.Status != http.StatusOK {
					t.Errorf("the next refresh: %d %s", p.Status, p.Text)
				}
				if got := op.Stats(); got.Refreshes != got.Refreshed || got.Replays != 0 {
					t.Errorf("stats %+v: a refresh token was presented twice", got)
				}
			})
		})
	}
}

// A process that is frozen before it sends, and wakes up past its lease, does
// not send any more: somebody else may have taken over, and here has. The strict
// provider would end the grant.
func TestA4FrozenHolderThatWasOvertakenDoesNotSend(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op, "-class", "reusable") // so that the others take over at once
		v := f.SignedIn("ada")
		pass(t, life+200*time.Millisecond)

		f.replicas[0].StopAt(locked)
		waiting := make(chan page)
		go func() { waiting <- f.Try(v, 0, "/token") }()
		f.replicas[0].AwaitPoint(locked)
		pass(t, lease)
		if status := f.Recover(v, 5*time.Second, 1, 2); status != http.StatusOK {
			t.Errorf("the others are answered %d", status)
		}
		f.replicas[0].Resume()
		if p := <-waiting; p.Status != http.StatusOK {
			t.Errorf("after the thaw: %d %s", p.Status, p.Text)
		}
		pass(t, life+200*time.Millisecond)
		if p := f.Ask(v, 0, "/token"); p.Status != http.StatusOK {
			t.Errorf("the next refresh: %d %s", p.Status, p.Text)
		}
		if got := op.Stats(); got.Refreshes != 2 || got.Refreshed != 2 || got.Replays != 0 {
			t.Errorf("stats %+v: want two refreshes", got)
		}
	})
}
