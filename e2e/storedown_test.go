package e2e_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// each does something to every replica's way to the store.
func (f *fleet) each(do func(*testserver.Proxy)) {
	for _, r := range f.replicas {
		do(r.link)
	}
}

// A store that is down is told within a second and forgotten as soon as it is
// back, and signs nobody out; an answer of the provider that it could not take
// is not lost (R7, R8).
func TestA7StoreThatIsDownSignsNobodyOut(t *testing.T) {
	t.Parallel()
	const life = 8 * time.Second // longer than the tries to store take
	outage := sized(5*time.Second, time.Minute)
	for name, fail := range map[string]func(*testserver.Proxy){
		"down":    (*testserver.Proxy).Reset,
		"hanging": (*testserver.Proxy).HalfOpen,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachStore(t, func(t *testing.T, st *sharedStore) {
				op := startProvider(t, opConfig{AccessTTL: life})
				f := newFleet(t, st)
				f.Start(op)
				v, refreshing := f.SignedIn("ada"), f.SignedIn("bob")
				cookies := values(v.Cookies(f.URL))
				pass(t, life+200*time.Millisecond)
				op.Next(fault{Calls: 1, Delay: 500 * time.Millisecond})
				served := make(chan page)
				go func() { served <- f.Ask(refreshing, 0, "/token") }()
				eventually(t, 5*time.Second, func() bool { return op.Stats().Refreshes == 1 })

				f.each(fail)
				began := time.Now()
				if p := <-served; p.Status != http.StatusOK {
					t.Errorf("the answer that cannot be stored is not served: %d %s", p.Status, p.Text)
				}
				for i := 0; time.Since(began) < outage; i = (i + 1) % replicas {
					for _, path := range []string{"/account", "/token", "/.auth/refresh"} {
						asked := time.Now()
						p := f.Ask(v, i, path)
						mustWait(t, p)
						if took := time.Since(asked); took > time.Second {
							t.Errorf("%s is answered after %s", path, took)
						}
						if p.Header.Get("Set-Cookie") != "" {
							t.Errorf("%s touches the cookie", path)
						}
					}
					if p := f.Ask(v, i, "/"); p.Status != http.StatusOK {
						t.Errorf("a public page is answered %d", p.Status)
					}
					pass(t, outage/50)
				}
				if now := values(v.Cookies(f.URL)); !slices.Equal(now, cookies) {
					t.Error("the outage touched the cookies")
				}

				f.each((*testserver.Proxy).Heal)
				healed := time.Now()
				for i := range replicas {
					eventually(t, 3*time.Second, func() bool { return f.Ask(v, i, "/account").Status == http.StatusOK })
				}
				if took := time.Since(healed); took > 2*time.Second {
					t.Errorf("recovered after %s", took)
				}
				// Stored at last, at most the pause between two tries later.
				for _, v := range []*visitor{v, refreshing} {
					if status := f.Recover(v, 10*time.Second); status != http.StatusOK {
						t.Errorf("token after the outage: %d", status)
					}
				}
				if got := op.Stats(); got.Replays != 0 || got.Refreshed != got.Refreshes {
					t.Errorf("stats %+v after the outage", got)
				}
			})
		})
	}
}

func TestR7StoreThatRefusesWritesOrForgets(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		v := f.SignedIn("ada")
		pass(t, life+200*time.Millisecond)

		st.refuseWrites()
		for i := range replicas {
			mustWait(t, f.Ask(v, i, "/token"))
			if p := f.Ask(v, i, "/account"); p.Status != http.StatusOK {
				t.Errorf("a session that can be read is answered %d", p.Status)
			}
		}
		if got := op.Stats(); got.Refreshes != 0 {
			t.Errorf("stats %+v: presented without a lease", got)
		}
		st.acceptWrites()
		if status := f.Recover(v, 5*time.Second); status != http.StatusOK {
			t.Errorf("token once writes are taken again: %d", status)
		}

		st.empty()
		for i := range replicas {
			eventually(t, 5*time.Second, func() bool { return f.Ask(v, i, "/account").Status != http.StatusServiceUnavailable })
			if p := f.Ask(v, i, "/account"); p.Status != http.StatusUnauthorized {
				t.Errorf("a session that is lost is answered %d %s", p.Status, p.Text)
			}
			if p := f.Ask(v, i, "/"); p.Text != "stranger" {
				t.Errorf("a public page says %q", p.Text)
			}
		}
		f.SignIn(v, "ada")
	})
}

// While the store hangs, requests that need it are turned away in time, those
// that do not are served as ever, and nothing piles up.
func TestR8StoreThatHangsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	requests := sized(600, 10_000)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		f := newFleet(t, st)
		f.Start(startTestProvider(t, providertest.Config{}))
		v, stranger := f.SignedIn("ada"), f.Visitor()
		f.Storm(v, 20, "/account")
		idle := f.replicas[1].Vitals()
		calm := f.slowest(stranger, requests/3)

		f.each((*testserver.Proxy).HalfOpen)
		var all sync.WaitGroup
		turn := make(chan struct{}, 100)
		all.Go(func() {
			for i := range requests {
				turn <- struct{}{}
				all.Go(func() {
					defer func() { <-turn }()
					began := time.Now()
					p := f.Ask(v, i%replicas, "/account")
					if took := time.Since(began); p.Status != http.StatusServiceUnavailable || took > 2*time.Second {
						t.Errorf("%d after %s", p.Status, took)
					}
				})
			}
		})
		if hanging := f.slowest(stranger, requests/3); hanging > 2*calm+50*time.Millisecond {
			t.Errorf("a public page takes %s, and %s without the outage", hanging, calm)
		}
		all.Wait()
		f.each((*testserver.Proxy).Heal)
		eventually(t, 10*time.Second, func() bool { return f.Ask(v, 1, "/account").Status == http.StatusOK })
		eventually(t, 10*time.Second, func() bool { return f.replicas[1].Vitals().Goroutines <= idle.Goroutines+40 })
	})
}

// slowest is how long all but the slowest hundredth of n requests for a public
// page take at most.
func (f *fleet) slowest(v *visitor, n int) time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if p := f.Ask(v, i%replicas, "/"); p.Status != http.StatusOK {
			f.t.Errorf("a public page is answered %d", p.Status)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[n-1-n/100]
}

func values(cookies []*http.Cookie) []string {
	var values []string
	for _, c := range cookies {
		values = append(values, c.Name+"="+c.Value)
	}
	slices.Sort(values)
	return values
}
