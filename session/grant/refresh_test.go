package grant_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

var (
	strict   = providers.RefreshPolicy{Class: providers.Strict}
	wide     = providers.RefreshPolicy{Class: providers.Strict, Wide: true}
	graced   = providers.RefreshPolicy{Class: providers.Graced, Window: 30 * time.Second}
	reusable = providers.RefreshPolicy{Class: providers.Reusable}
)

// story runs one test in virtual time: a house with one process and one login.
func story(t *testing.T, policy providers.RefreshPolicy, tell func(t *testing.T, h *house, k *grant.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(policy))
		k := h.process()
		h.login(k)
		tell(t, h, k)
		k.Close()
	})
}

func (h *house) wantCalls(n int) {
	h.t.Helper()
	if got := h.op.count(); got != n {
		h.t.Fatalf("the provider was asked %d times, want %d", got, n)
	}
}

func (h *house) wantError(k *grant.Keeper, wanted error) error {
	h.t.Helper()
	token, err := h.token(k)
	if !errors.Is(err, wanted) {
		h.t.Fatalf("token = %q, %v; want the error %v", token, err, wanted)
	}
	return err
}

func TestFreshTokenCostsNoCall(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.mustToken(k, "at0")
		time.Sleep(45 * time.Minute)
		h.mustToken(k, "at0")
		h.wantCalls(0)
	})
}

func TestAgingTokenIsServedAndRenewedBehindTheCaller(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.takes = 3 * time.Second
		time.Sleep(56 * time.Minute)
		before := time.Now()
		h.mustToken(k, "at0")
		if waited := time.Since(before); waited != 0 {
			t.Errorf("the caller waited %v for a token that it did not need yet", waited)
		}
		time.Sleep(4 * time.Second)
		h.mustToken(k, "at1")
		h.wantCalls(1)
	})
}

func TestTokenAboutToDieIsWaitedForAtMostASecond(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.takes = 10 * time.Second
		time.Sleep(time.Hour - 20*time.Second)
		before := time.Now()
		h.mustToken(k, "at0")
		if waited := time.Since(before); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
		time.Sleep(10 * time.Second)
		h.mustToken(k, "at1")
		h.wantCalls(1)
	})
}

func TestR1StormOnAnExpiredTokenIsOneCall(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.takes = 2 * time.Second
		time.Sleep(2 * time.Hour)
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				if token, err := h.token(k); err != nil || token != "at1" {
					t.Errorf("token = %q, %v; want at1", token, err)
				}
			})
		}
		wg.Wait()
		h.wantCalls(1)
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at2")
	})
}

func TestTwoProcessesPresentOnce(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.takes = 2 * time.Second
		other := h.process()
		defer other.Close()
		time.Sleep(2 * time.Hour)
		var wg sync.WaitGroup
		for _, k := range []*grant.Keeper{k, other, k, other} {
			wg.Go(func() { h.mustToken(k, "at1") })
		}
		wg.Wait()
		h.wantCalls(1)
	})
}

func TestR3ClientThatLeavesLosesNothing(t *testing.T) {
	for at := time.Duration(0); at <= 220*time.Millisecond; at += 10 * time.Millisecond {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.takes = 200 * time.Millisecond
			time.Sleep(2 * time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), at)
			defer cancel()
			g := h.request(k)
			if _, err := g.Token(ctx, grant.Audience{}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("left after %v: %v", at, err)
			}
			h.mustToken(k, "at1")
			h.wantCalls(1)
		})
	}
}

func TestBlipIsRetriedBeforeTheHandlerRuns(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.NotSent}}
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at2")
		h.wantCalls(2)
	})
}

func TestR9OutageIsOneTryPerFiveSecondsAndSignsNobodyOut(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.outage = func() answer { return answer{fail: true, kind: providers.NotSent} }
		time.Sleep(2 * time.Hour)
		begin := time.Now()
		for time.Since(begin) < 30*time.Minute {
			err := h.wantError(k, grant.ErrTransient)
			var te *grant.TransientError
			if !errors.As(err, &te) || te.RetryAfter < time.Second || te.RetryAfter > 20*time.Second {
				t.Fatalf("error %v: want a Retry-After between a second and twenty", err)
			}
			time.Sleep(time.Second)
		}
		for i, at := range h.op.times[2:] { // the second try is the one that a blip is forgiven
			if gap := at.Sub(h.op.times[i+1]); gap < 5*time.Second {
				t.Fatalf("two tries within %v", gap)
			}
		}
		h.op.outage = nil
		back := time.Now()
		for _, err := h.token(k); err != nil; _, err = h.token(k) {
			time.Sleep(time.Second)
		}
		if late := time.Since(back); late > 20*time.Second {
			t.Errorf("served again %v after the outage", late)
		}
	})
}

// A call that hung until its deadline has kept the grant away for long enough.
func TestBackoffCountsTheTimeOfTheCall(t *testing.T) {
	story(t, reusable, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.outage = func() answer { return answer{fail: true, kind: providers.Unknown, takes: time.Minute} }
		time.Sleep(2 * time.Hour)
		for begin := time.Now(); time.Since(begin) < 5*time.Minute; time.Sleep(100 * time.Millisecond) {
			h.wantError(k, grant.ErrTransient)
		}
		k.Close()
		for i, at := range h.op.times[1:] {
			if gap := at.Sub(h.op.times[i]); gap > 17*time.Second {
				t.Errorf("try %d came %v after the one before; want the 15s of the call and a second", i+2, gap)
			}
		}
	})
}

func TestValidTokenIsServedDuringAnOutage(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = slices.Repeat([]answer{{fail: true, kind: providers.Busy}}, 1000)
		for range 59 {
			time.Sleep(time.Minute)
			h.mustToken(k, "at0")
		}
		time.Sleep(time.Minute)
		h.wantError(k, grant.ErrTransient)
	})
}

func TestA6RetryAfterIsSilence(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.Busy, retryAfter: 2 * time.Minute}}
		time.Sleep(2 * time.Hour)
		begin := time.Now()
		for range 117 {
			h.wantError(k, grant.ErrTransient)
			time.Sleep(time.Second)
		}
		h.wantCalls(1)
		time.Sleep(time.Second)
		h.mustToken(k, "at2") // sits out what is left
		if silent := time.Since(begin); silent < 2*time.Minute {
			t.Errorf("asked again after %v", silent)
		}
	})
}

func TestIDP7RetryAfterIsCapped(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.Busy, retryAfter: 1000 * time.Hour}}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrTransient)
		time.Sleep(time.Hour)
		h.mustToken(k, "at2")
	})
}

func TestR10RevokedGrantIsDeadAndNotAskedAgain(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.live = nil
		time.Sleep(2 * time.Hour)
		for range 3 {
			err := h.wantError(k, grant.ErrReauthRequired)
			var re *grant.ReauthError
			if !errors.As(err, &re) || re.Reason != "revoked" {
				t.Fatalf("reason of %v, want revoked", err)
			}
		}
		h.wantCalls(1)
		snapshot, err := h.request(k).Snapshot(t.Context())
		if err != nil || !snapshot.RefreshToken.IsZero() || !snapshot.AccessToken.IsZero() || snapshot.Dead != "revoked" {
			t.Errorf("snapshot %+v, %v: want no tokens left", snapshot, err)
		}
	})
}

func TestInteractionRequiredKeepsTheLivingToken(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.Interaction}}
		time.Sleep(56 * time.Minute)
		h.mustToken(k, "at0")
		synctest.Wait()
		h.mustToken(k, "at0")
		time.Sleep(time.Hour)
		h.wantError(k, grant.ErrReauthRequired)
		h.wantCalls(1)
	})
}

func TestRAC3MisconfiguredClientKeepsTheRefreshToken(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.Misconfigured}}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrMisconfigured)
		time.Sleep(57 * time.Second)
		h.wantError(k, grant.ErrMisconfigured)
		h.wantCalls(1)
		time.Sleep(4 * time.Second)
		h.mustToken(k, "at2")
	})
}

func TestLoginWithoutRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(strict))
		k := h.process()
		err := k.Create(t.Context(), key, "op", providers.Tokens{AccessToken: providers.NewSecret("at0"), ExpiresIn: time.Hour}, time.Now().Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		h.mustToken(k, "at0")
		if err := h.request(k).Refresh(t.Context()); !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("refresh: %v, want ErrNoRefreshToken", err)
		}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrNoRefreshToken)
	})
}

func TestTokenOfUnknownLifetimeIsUsedUntilRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(strict))
		h.op.life = 0
		k := h.process()
		h.login(k)
		time.Sleep(100 * time.Hour)
		h.mustToken(k, "at0")
		h.wantCalls(0)
	})
}

func TestForcedRefreshOfAFreshTokenReachesTheProviderOncePerFiveSeconds(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(10 * time.Second)
		for range 4 {
			if err := h.request(k).Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		h.wantCalls(1)
		time.Sleep(2 * time.Second)
		if err := h.request(k).Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.wantCalls(2)
		h.mustToken(k, "at2")
	})
}

func TestRefreshSinceAsksOnlyIfTheProviderHasNotVouchedYet(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(10 * time.Minute)
		expiry := time.Now()
		for range 3 {
			time.Sleep(time.Second)
			if err := h.request(k).RefreshSince(t.Context(), expiry); err != nil {
				t.Fatal(err)
			}
		}
		h.wantCalls(1)
	})
}

func TestTwoAudiencesShareOneRefreshTokenAndNeverRace(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.takes = time.Second
		other := h.process()
		defer other.Close()
		a, b := grant.Resource("https://a.example"), grant.Resource("https://b.example")
		var wg sync.WaitGroup
		got := make([]string, 4)
		for i := range got {
			wg.Go(func() {
				aud, process := a, k
				if i%2 == 1 {
					aud = b
				}
				if i > 1 {
					process = other
				}
				token, err := h.request(process).Token(t.Context(), aud)
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = token.AccessToken
			})
		}
		wg.Wait()
		h.wantCalls(2)
		if got[0] != got[2] || got[1] != got[3] || got[0] == got[1] {
			t.Errorf("tokens %q: want one per audience", got)
		}
		h.mustToken(k, "at0")
		if slices.Max(h.op.audiences) != "https://b.example" || h.op.presented["rt0"] != 1 || h.op.presented["rt1"] != 1 {
			t.Errorf("presented %v for %v: want each refresh token once", h.op.presented, h.op.audiences)
		}
	})
}

// What a provider refuses for one resource says nothing about the login.
func TestAudienceThatIsRefusedCostsNoOther(t *testing.T) {
	for kind, wanted := range map[providers.Kind]error{
		providers.Misconfigured: grant.ErrMisconfigured,
		providers.Interaction:   grant.ErrReauthRequired, // no consent for it
	} {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{{fail: true, kind: kind}}
			time.Sleep(2 * time.Hour)
			for range 3 {
				_, err := h.request(k).Token(t.Context(), grant.Resource("https://other.example"))
				if !errors.Is(err, wanted) {
					t.Errorf("%v: token: %v, want %v", kind, err, wanted)
				}
			}
			h.wantCalls(1)
			h.mustToken(k, "at2")
			time.Sleep(61 * time.Second)
			if _, err := h.request(k).Token(t.Context(), grant.Resource("https://other.example")); err != nil {
				t.Errorf("%v: a minute later: %v", kind, err)
			}
		})
	}
}

func TestReauthSoonIsToldOncePerRefreshToken(t *testing.T) {
	policy := strict
	policy.Lifetime = 100 * time.Hour
	story(t, policy, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = slices.Repeat([]answer{{fail: true, kind: providers.Busy}}, 10000)
		for range 95 * 4 {
			time.Sleep(15 * time.Minute)
			g := h.request(k)
			g.Token(t.Context(), grant.Audience{})
			synctest.Wait()
		}
		told := 0
		for _, s := range h.said {
			if s == "reauth soon" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
		if h.request(k).ReauthAt(t.Context()).IsZero() {
			t.Error("ReauthAt is zero five hours before the refresh token dies")
		}
	})
}

func TestTransientErrorsSayWhenToComeBack(t *testing.T) {
	err := error(&grant.TransientError{RetryAfter: time.Second, Reason: "busy"})
	if !errors.Is(err, grant.ErrTransient) || errors.Is(err, grant.ErrReauthRequired) {
		t.Errorf("%v is not, or not only, transient", err)
	}
}

// In a token's last seconds nobody waits long, because it still works; but it may
// die while they wait.
func TestTokenThatDiesWhileItsSuccessorIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOP(providers.RefreshPolicy{})
		o.takes = 3 * time.Second
		h := newHouse(t, o)
		k := h.process()
		h.login(k)
		time.Sleep(o.life - 500*time.Millisecond)
		h.mustToken(k, "at1")
	})
}

// Nobody is told to stay away for longer than a minute, but by the provider.
func TestTimeToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			answer answer
			most   time.Duration
		}{
			"the provider's own word": {answer{fail: true, kind: providers.Busy, retryAfter: 2 * time.Minute}, 2 * time.Minute},
			"ours":                    {answer{fail: true, kind: providers.Unknown}, time.Minute},
		} {
			o := newOP(providers.RefreshPolicy{Class: providers.Strict})
			o.answers = []answer{test.answer, {fail: true, kind: providers.Unknown}}
			h := newHouse(t, o)
			k := h.process()
			h.login(k)
			time.Sleep(o.life)
			h.token(k)
			_, err := h.token(k)
			var transient *grant.TransientError
			if !errors.As(err, &transient) || transient.RetryAfter > test.most || transient.RetryAfter < test.most/3 {
				t.Errorf("%s: %v", name, err)
			}
			k.Close()
		}
	})
}
