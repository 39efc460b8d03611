package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestA5ProviderThatIsBusyForLongSignsNobodyOutOnAnyReplica(t *testing.T) {
	t.Parallel()
	const life = 4 * time.Second
	outage := sized(8*time.Second, 30*time.Minute)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		expired := f.SignedIn("ada")
		pass(t, life+200*time.Millisecond)
		valid := f.SignedIn("bob")
		op.Next(fault{Calls: 1 << 30, Status: http.StatusServiceUnavailable})
		before := op.Stats().Calls

		began := time.Now()
		for i := 0; time.Since(began) < outage; i = (i + 1) % replicas {
			mustWait(t, f.Ask(expired, i, "/token"))
			for _, v := range []*visitor{expired, valid} {
				if p := f.Ask(v, i, "/account"); p.Status != http.StatusOK {
					t.Fatalf("during the outage the session is answered %d %s", p.Status, p.Text)
				}
			}
			if p := f.Ask(valid, i, "/token"); time.Since(began) < life/2 && p.Status != http.StatusOK {
				t.Errorf("a valid token is answered %d %s", p.Status, p.Text)
			}
			pass(t, 50*time.Millisecond)
		}
		// No grant is presented more often than once a second, whichever replica asks.
		if got, most := op.Stats().Calls-before, 2*(int(outage/time.Second)+1); got > most {
			t.Errorf("%d calls in %s for two grants", got, outage)
		}

		op.Next(fault{})
		for _, v := range []*visitor{expired, valid} {
			eventually(t, time.Minute, func() bool { return v.Ask(f.URL+"/token").Status == http.StatusOK })
		}
		if got := op.Stats(); got.Replays != 0 || got.Logins != 2 {
			t.Errorf("stats %+v after the outage", got)
		}
	})
}

// sittingOut is how long before the end of a first back-off a request waits for
// it instead of being sent away.
const sittingOut = 2500 * time.Millisecond

func TestA6RetryAfterIsSilenceOnEveryReplica(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	silence := sized(5*time.Second, 2*time.Minute)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		v := f.SignedIn("ada")
		pass(t, life+200*time.Millisecond)
		op.Next(fault{Calls: 1, Status: http.StatusTooManyRequests, RetryAfter: silence})

		began := time.Now()
		before := op.Stats().Calls
		for i := 0; time.Since(began) < silence-sittingOut; i = (i + 1) % replicas {
			mustWait(t, f.Ask(v, i, "/token"), silence)
			pass(t, 50*time.Millisecond)
		}
		if got := op.Stats().Calls - before; got != 1 {
			t.Errorf("%d calls in spite of Retry-After", got)
		}
		eventually(t, 10*time.Second, func() bool { return v.Ask(f.URL+"/token").Status == http.StatusOK })
		if took := time.Since(began); took < silence-100*time.Millisecond {
			t.Errorf("asked again after %s, want %s", took, silence)
		}
	})
}

// A provider that fails in every way that a network and a gateway know, one
// after the other (R9). Its refresh tokens can be used again, so nothing is ever
// in doubt and everything has to come back by itself.
func TestR9EveryKindOfOutageIsOverWhenItIsOver(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	people := sized(20, 1000)
	outage := sized(3*time.Second, 10*time.Minute)
	html := "<html><h1>We are sorry</h1></html>"
	for name, fail := range map[string]func(op *testProvider){
		"down":    func(op *testProvider) { op.link.Reset() },
		"hanging": func(op *testProvider) { op.link.HalfOpen() },
		"cut":     func(op *testProvider) { op.Fail(providertest.Token, providertest.Fault{Process: true, Cut: true}) },
		"gateway": func(op *testProvider) {
			op.Fail(providertest.Token, providertest.Fault{Status: http.StatusBadGateway, Body: html})
		},
		"page instead of tokens": func(op *testProvider) {
			op.Fail(providertest.Token, providertest.Fault{Status: http.StatusOK, Body: html})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := startTestProvider(t, providertest.Config{AccessTokenLifetime: life, Rotation: providertest.ReusableRenewed})
			f := newFleet(t, startRedis(t))
			f.Start(op, "-class", "reusable")
			all := f.SignedInAll(people)
			pass(t, life+200*time.Millisecond)
			fail(op)
			before := op.Stats().Refreshes
			began := time.Now()
			for i := 0; time.Since(began) < outage; i++ {
				v := all[i%people]
				go f.Try(v, i%replicas, "/token")
				if p := f.Ask(v, i%replicas, "/account"); p.Status != http.StatusOK {
					t.Fatalf("during the outage the session is answered %d %s", p.Status, p.Text)
				}
				pass(t, outage/time.Duration(10*people))
			}
			if got, most := op.Stats().Refreshes-before, people*(int(outage/time.Second)+1); got > most {
				t.Errorf("%d calls in %s for %d grants", got, outage, people)
			}
			op.Heal()
			op.link.Heal()
			healed := time.Now()
			for _, v := range all {
				eventually(t, 30*time.Second, func() bool { return v.Ask(f.URL+"/token").Status == http.StatusOK })
			}
			if took := time.Since(healed); took > 30*time.Second {
				t.Errorf("recovered after %s", took)
			}
			if got := op.Stats().MaxInFlight; got > replicas*32 {
				t.Errorf("%d calls in flight at once", got)
			}
		})
	}
}
