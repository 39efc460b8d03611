package grant_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

const year = 365 * 24 * time.Hour

// shifted is a store whose clock is not that of the machine, and may be set, or
// belong to another server from now on. Its rows live as long as they would have.
type shifted struct {
	store.Store
	by atomic.Int64
}

// set makes the store's clock differ from the machine's by d from now on.
func (s *shifted) set(d time.Duration) { s.by.Store(int64(d)) }

func (s *shifted) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	by := time.Duration(s.by.Load())
	entries, err := s.Store.Load(ctx, keys...)
	for i := range entries {
		entries[i].Now = entries[i].Now.Add(by)
		entries[i].ExpiresAt = entries[i].ExpiresAt.Add(by)
	}
	return entries, err
}

func (s *shifted) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	by := time.Duration(s.by.Load())
	e.ExpiresAt = e.ExpiresAt.Add(-by)
	e, err := s.Store.Save(ctx, key, e)
	e.Now, e.ExpiresAt = e.Now.Add(by), e.ExpiresAt.Add(by)
	return e, err
}

// timeless is a story in which the store's clock is by off from the start.
func timeless(t *testing.T, policy providers.RefreshPolicy, by time.Duration, tell func(t *testing.T, h *house, k *grant.Keeper, clock *shifted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(policy))
		clock := &shifted{Store: h.store}
		clock.set(by)
		h.cfg.Store, h.rows = clock, clock
		k := h.process()
		err := k.Create(t.Context(), key, "op", providers.Tokens{
			AccessToken: providers.NewSecret("at0"), RefreshToken: providers.NewSecret("rt0"),
			SentAt: time.Now(), ExpiresIn: h.op.life,
		}, time.Now().Add(by).Add(10*year))
		if err != nil {
			t.Fatal(err)
		}
		tell(t, h, k, clock)
		k.Close()
	})
}

// R11: each machine may think what it likes; the store's clock is the one that
// counts.
func TestR11MachineWhoseClockIsWrong(t *testing.T) {
	for _, by := range []time.Duration{10 * time.Minute, -10 * time.Minute, time.Hour, -time.Hour, year, -year} {
		timeless(t, strict, by, func(t *testing.T, h *house, k *grant.Keeper, _ *shifted) {
			for range 48 {
				h.mustToken(k, "at0")
				time.Sleep(time.Minute)
			}
			h.wantCalls(0)
			time.Sleep(time.Hour)
			for range 48 {
				h.mustToken(k, "at1")
				time.Sleep(time.Minute)
			}
			h.wantCalls(1)
		})
	}
}

// R11: another server takes over as the store, with a clock of its own.
func TestR11StoreWhoseClockSteps(t *testing.T) {
	for _, step := range []time.Duration{10 * time.Minute, -10 * time.Minute, -time.Hour, year, -year} {
		timeless(t, strict, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
			calls := 0
			for _, by := range []time.Duration{step, 0, step} {
				time.Sleep(5 * time.Minute)
				clock.set(by)
				for range 15 {
					if token, err := h.token(k); err != nil {
						t.Fatalf("step %v: token = %q, %v", step, token, err)
					}
					time.Sleep(time.Minute)
				}
				if n := h.op.count() - calls; n > 1 {
					t.Errorf("step of the store's clock to %v: %d refreshes, want one at most", by, n)
				}
				calls = h.op.count()
			}
			time.Sleep(2 * time.Hour)
			if _, err := h.token(k); err != nil || h.op.count() != calls+1 {
				t.Errorf("step %v: then %v, %d refreshes", step, err, h.op.count()-calls)
			}
			for rt, n := range h.op.presented {
				if n > 1 {
					t.Errorf("%s presented %d times", rt, n)
				}
			}
		})
	}
}

// An attempt that was dated by a clock an hour ahead holds nobody up for an hour.
func TestR11AttemptFromTheFutureLocksNoLongerThanLeaseAndQuarantine(t *testing.T) {
	for _, tt := range []struct {
		policy providers.RefreshPolicy
		within time.Duration
	}{
		{reusable, 21 * time.Second},
		{graced, 51 * time.Second},
		{strict, 51 * time.Second},
	} {
		timeless(t, tt.policy, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
			time.Sleep(2 * time.Hour)
			frozen := h.freeze(answer{fail: true, kind: providers.Unknown, takes: time.Hour})
			clock.set(-time.Hour)
			begin := time.Now()
			for {
				_, err := h.token(k)
				if err == nil {
					break
				}
				if !errors.Is(err, grant.ErrTransient) || time.Since(begin) > time.Minute {
					t.Fatalf("%v: %v after %v", tt.policy.Class, err, time.Since(begin))
				}
				time.Sleep(time.Second)
			}
			if waited := time.Since(begin); waited > tt.within {
				t.Errorf("%v: locked for %v, want %v at most", tt.policy.Class, waited, tt.within)
			}
			h.wantCalls(2)
			time.Sleep(time.Hour)
			frozen.Close()
		})
	}
}

// While somebody presents the token the store's clock leaps ahead: to others the
// attempt looks as if it had been over for long.
func TestR11LeapAheadDuringACallCausesNoSecondOne(t *testing.T) {
	for _, policy := range []providers.RefreshPolicy{strict, graced, learnt, wide} {
		timeless(t, policy, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
			other := h.process()
			defer other.Close()
			h.mustToken(other, "at0") // it has seen the store's clock
			time.Sleep(2 * time.Hour)
			h.op.takes = 12 * time.Second
			go h.token(k)
			time.Sleep(2 * time.Second)
			clock.set(year)
			for _, err := h.token(other); err != nil; _, err = h.token(other) {
				if !errors.Is(err, grant.ErrTransient) {
					t.Fatalf("%v: %v", policy.Class, err)
				}
				time.Sleep(time.Second)
			}
			for rt, n := range h.op.presented { // rt1 too, because what it brought is dated a year ago
				if n != 1 {
					t.Errorf("%v: %s presented %d times", policy.Class, rt, n)
				}
			}
		})
	}
}

func TestR11BackoffFromTheFutureIsOver(t *testing.T) {
	timeless(t, strict, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
		h.op.answers = []answer{{fail: true, kind: providers.Busy, retryAfter: 20 * time.Minute}, {fail: true, kind: providers.Misconfigured}}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrTransient)
		clock.set(-30 * time.Minute)
		_, err := h.request(k).Token(t.Context(), grant.Resource("https://other.example"))
		if !errors.Is(err, grant.ErrMisconfigured) {
			t.Errorf("other audience: %v", err)
		}
		h.mustToken(k, "at3")
		clock.set(-time.Hour)
		if _, err := h.request(k).Token(t.Context(), grant.Resource("https://other.example")); err != nil {
			t.Errorf("refused audience after another step: %v", err)
		}
	})
}

// An API refuses a token that is from the future to us: it is renewed, and does
// not count as just issued.
func TestR11RefusedTokenFromTheFutureIsRenewed(t *testing.T) {
	for _, life := range []time.Duration{time.Hour, 0} { // 0: not told
		timeless(t, strict, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
			clock.set(year)
			h.op.life = life
			h.mustToken(k, "at1")
			clock.set(0)
			a := &api{refuses: map[string]bool{"at1": true}}
			if resp, err := h.call(k, a, nil); err != nil || resp.StatusCode != 200 {
				t.Fatalf("life %v: %v, %v", life, resp, err)
			}
			a.wantSeen(t, "api.example at1", "api.example at2")
			synctest.Wait()
			h.mustToken(k, "at2")
			h.wantCalls(2)
		})
	}
}

// A provider that will have vouched for the login in a year has not yet.
func TestR11RenewalAsksTheProviderWhatItSaidInTheFuture(t *testing.T) {
	timeless(t, strict, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
		clock.set(year)
		h.mustToken(k, "at1")
		clock.set(0)
		if err := h.request(k).RefreshSince(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		h.wantCalls(2)
	})
}

// A clock that is set back makes no replay window longer.
func TestR11GracedWindowFromTheFutureIsOver(t *testing.T) {
	timeless(t, graced, 0, func(t *testing.T, h *house, k *grant.Keeper, clock *shifted) {
		h.op.answers = []answer{{fail: true, rotates: true, kind: providers.Unknown, retryAfter: 25 * time.Second}}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrTransient)
		time.Sleep(26 * time.Second)
		clock.set(-10 * time.Minute)
		for begin := time.Now(); time.Since(begin) < 49*time.Second; time.Sleep(time.Second) { // a lease and the quarantine
			h.wantError(k, grant.ErrTransient)
		}
		h.wantCalls(1)
	})
}

func TestR11TokensAfterTheYear2038(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(40 * year) // bubbles begin in 2000
		h := newHouse(t, newOP(strict))
		k := h.process()
		h.login(k)
		h.mustToken(k, "at0")
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at1")
		h.mustToken(h.process(), "at1")
		h.wantCalls(1)
	})
}
