package grant_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// lost is a call that rotates at the provider and whose answer never arrives.
var lost = answer{fail: true, rotates: true, kind: providers.Unknown}

// What happens after an answer was lost, by what the provider does with a used
// refresh token (docs/refresh.md E3).
func TestLostAnswer(t *testing.T) {
	t.Run("reusable: presented again at once", func(t *testing.T) {
		story(t, reusable, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost}
			time.Sleep(2 * time.Hour)
			h.mustToken(k, "at2")
			h.wantCalls(2)
		})
	})
	t.Run("graced: replayed inside the window", func(t *testing.T) {
		story(t, graced, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost}
			time.Sleep(2 * time.Hour)
			h.mustToken(k, "at2")
			if h.op.presented["rt0"] != 2 {
				t.Errorf("presented %v, want rt0 twice", h.op.presented)
			}
		})
	})
	t.Run("strict: nobody presents it while it may be in flight, then once", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost}
			time.Sleep(2 * time.Hour)
			for range 29 {
				h.wantError(k, grant.ErrTransient)
				time.Sleep(time.Second)
			}
			h.wantCalls(1)
			time.Sleep(10 * time.Second)
			h.wantError(k, grant.ErrReauthRequired)
			h.wantError(k, grant.ErrReauthRequired)
			h.wantCalls(2)
		})
	})
	t.Run("strict: the one probe saves a token that was not consumed", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{{fail: true, kind: providers.Unknown}}
			time.Sleep(2 * time.Hour)
			h.wantError(k, grant.ErrTransient)
			time.Sleep(40 * time.Second)
			h.mustToken(k, "at2")
		})
	})
	t.Run("strict: a probe that is lost too is the last", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost, lost}
			time.Sleep(2 * time.Hour)
			h.wantError(k, grant.ErrTransient)
			time.Sleep(time.Minute)
			h.wantError(k, grant.ErrTransient)
			time.Sleep(10 * time.Minute)
			h.wantError(k, grant.ErrReauthRequired)
			h.wantCalls(2)
		})
	})
	t.Run("strict with a wide blast radius: never presented again", func(t *testing.T) {
		story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost}
			time.Sleep(2 * time.Hour)
			h.token(k)
			time.Sleep(10 * time.Minute)
			h.wantError(k, grant.ErrReauthRequired)
			h.wantCalls(1)
		})
	})
	t.Run("nobody waits for the end of a token of unknown lifetime", func(t *testing.T) {
		story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.life = 0
			h.refresh(k)
			h.op.answers = []answer{lost}
			time.Sleep(10 * time.Minute)
			if err := h.request(k).Refresh(t.Context()); !errors.Is(err, grant.ErrReauthRequired) {
				t.Errorf("refresh: %v, want ErrReauthRequired", err)
			}
			h.mustToken(k, "at1")
		})
	})
	t.Run("a valid token is served through all of it", func(t *testing.T) {
		story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost}
			time.Sleep(56 * time.Minute)
			for range 3 {
				h.mustToken(k, "at0")
				time.Sleep(time.Minute)
			}
			if err := h.request(k).Refresh(t.Context()); !errors.Is(err, grant.ErrTransient) {
				t.Errorf("refresh: %v; want ErrTransient for as long as the token lives", err)
			}
		})
	})
}

// A try that certainly consumed nothing says nothing about the one before it.
func TestDoubtOutlivesATryThatConsumedNothing(t *testing.T) {
	busy := answer{fail: true, kind: providers.Busy}
	t.Run("strict", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost, busy, busy}
			time.Sleep(2 * time.Hour)
			for range 100 {
				h.wantErrorOf(k)
				time.Sleep(time.Second)
			}
			for i, at := range h.op.times[1:] {
				if gap := at.Sub(h.op.times[i]); gap < 30*time.Second {
					t.Errorf("try %d came %v after the one before, and the lost one may be in flight", i+2, gap)
				}
			}
			time.Sleep(30 * time.Second)
			h.wantError(k, grant.ErrReauthRequired)
			h.wantCalls(4)
		})
	})
	t.Run("graced: the window is that of the first", func(t *testing.T) {
		story(t, graced, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{lost, {fail: true, kind: providers.Busy, retryAfter: 27 * time.Second}}
			time.Sleep(2 * time.Hour)
			h.wantErrorOf(k)
			time.Sleep(28 * time.Second)
			h.wantError(k, grant.ErrTransient)
			h.wantCalls(2)
		})
	})
}

func TestGracedWindowCountsFromTheFirstPresentation(t *testing.T) {
	for range 20 { // the back-off is drawn by lot
		story(t, graced, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = slices.Repeat([]answer{lost}, 100)
			time.Sleep(2 * time.Hour)
			first := time.Now()
			for time.Since(first) < 5*time.Minute {
				h.wantErrorOf(k)
				time.Sleep(time.Second)
			}
			last, late := first, 0
			for _, at := range h.op.times {
				if at.Sub(first) >= 27*time.Second {
					if late++; late > 1 || at.Sub(last) < 30*time.Second {
						t.Fatalf("presented %v: want replays for 27 s, and one probe when nothing is in flight", h.op.times)
					}
				}
				last = at
			}
			if len(h.op.times)-late < 3 || late != 1 {
				t.Fatalf("presented %v: want several replays and one probe", h.op.times)
			}
		})
	}
}

// wantErrorOf asks for a token that is not to be had.
func (h *house) wantErrorOf(k *grant.Keeper) {
	h.t.Helper()
	if token, err := h.token(k); err == nil {
		h.t.Fatalf("token = %q", token)
	}
}

// Two processes present one refresh token inside the window of a graced
// provider, and both get tokens: the first commit is the one that counts.
func TestSecondAnswerToOneGenerationIsDropped(t *testing.T) {
	story(t, graced, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		defer h.freeze(answer{takes: 40 * time.Second}).Close()
		time.Sleep(21 * time.Second)
		h.mustToken(k, "at2")
		time.Sleep(time.Minute)
		h.mustToken(k, "at2")
	})
}

func TestGatewayErrorMayHideARotation(t *testing.T) {
	gateway := answer{fail: true, rotates: true, kind: providers.Gateway}
	t.Run("strict: in doubt", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{gateway}
			time.Sleep(2 * time.Hour)
			h.wantError(k, grant.ErrTransient)
			time.Sleep(10 * time.Second)
			h.wantError(k, grant.ErrTransient)
			h.wantCalls(1)
		})
	})
	t.Run("A5 strict: half an hour of it signs nobody out", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.outage = func() answer { return answer{fail: true, kind: providers.Gateway} }
			time.Sleep(2 * time.Hour)
			for range 30 * 60 {
				h.wantError(k, grant.ErrTransient)
				time.Sleep(time.Second)
			}
			for i, at := range h.op.times[1:] {
				if gap := at.Sub(h.op.times[i]); gap < 30*time.Second {
					t.Fatalf("tried again after %v, want what is in flight to have arrived", gap)
				}
			}
			h.op.outage = nil
			time.Sleep(31 * time.Second)
			if _, err := h.token(k); err != nil {
				t.Errorf("after the outage: %v", err)
			}
		})
	})
	t.Run("reusable: tried again", func(t *testing.T) {
		story(t, reusable, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.answers = []answer{gateway}
			time.Sleep(2 * time.Hour)
			h.mustToken(k, "at2")
		})
	})
}

// R2, A4: a process that is paused past its lease comes back with the only
// living refresh token. Its commit counts, because the generation is still its own.
func TestLateAnswerOfAPausedProcessIsKept(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		defer h.freeze(answer{takes: 40 * time.Second}).Close()
		time.Sleep(25 * time.Second)       // past the lease, within the quarantine
		h.wantError(k, grant.ErrTransient) // nobody presents rt0 again
		time.Sleep(16 * time.Second)       // the frozen call's answer arrives
		synctest.Wait()
		h.mustToken(k, "at1")
		h.wantCalls(1)
	})
}

// I3: somebody buries the grant while the frozen call's answer is on its way. The
// answer shows that it lives: it rises with all that it had, though the provider
// returned no refresh token, because the old one stays.
func TestLateAnswerRaisesAGrantThatWasBuried(t *testing.T) {
	for _, kind := range []providers.Kind{providers.Interaction, providers.Revoked} {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps, h.op.silent = true, true
			h.refresh(k)
			elsewhere := grant.Resource("https://other.example")
			time.Sleep(90 * time.Minute)
			if _, err := h.request(k).Token(t.Context(), elsewhere); err != nil {
				t.Fatal(err)
			}
			defer h.freeze(answer{takes: 40 * time.Second}).Close()
			time.Sleep(21 * time.Second)
			synctest.Wait()
			h.op.answers = []answer{{fail: true, kind: kind}}
			h.wantError(k, grant.ErrReauthRequired)
			time.Sleep(25 * time.Second)
			synctest.Wait()
			h.mustToken(k, "at3")
			if token, err := h.request(k).Token(t.Context(), elsewhere); err != nil || token.AccessToken != "at2https://other.example" {
				t.Errorf("%v: other audience: %v, %v", kind, token, err)
			}
			time.Sleep(2 * time.Hour)
			h.mustToken(k, "at5")
			if h.lose(k) != true {
				t.Errorf("%v: what was learnt is forgotten", kind)
			}
		})
	}
}

// freeze has another process present the refresh token, and leaves it frozen
// there: its call does not end with its deadline, and what the provider answers
// arrives when a says. The process thaws with its house.
func (h *house) freeze(a answer) *grant.Keeper {
	h.t.Helper()
	other := newHouse(h.t, h.op)
	other.store, other.rows, other.cfg.Store = h.store, h.rows, h.cfg.Store
	other.cfg.Providers = map[string]providers.Provider{"op": deaf{h.op}}
	frozen := other.process()
	h.op.answers = []answer{a}
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Millisecond)
	defer cancel()
	other.request(frozen).Token(ctx, grant.Audience{})
	return frozen
}

// deaf is a provider whose calls do not end with their context.
type deaf struct{ *op }

func (d deaf) Refresh(ctx context.Context, req providers.RefreshRequest) (*providers.Tokens, error) {
	return d.op.Refresh(context.WithoutCancel(ctx), req)
}

func TestCrashAfterBeginIsRecovered(t *testing.T) {
	for _, tt := range []struct {
		name    string
		policy  providers.RefreshPolicy
		rotates bool
		after   time.Duration
		wanted  error
	}{
		{"K2 strict, not sent", strict, false, time.Minute, nil},
		{"K3 strict, consumed: one clean sign-in", strict, true, time.Minute, grant.ErrReauthRequired},
		{"K3 graced, consumed", graced, true, 22 * time.Second, nil},
		{"K3 reusable", reusable, true, 22 * time.Second, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, tt.policy, func(t *testing.T, h *house, k *grant.Keeper) {
				time.Sleep(2 * time.Hour)
				h.freeze(answer{fail: true, rotates: tt.rotates, kind: providers.Unknown, takes: 100 * time.Hour})

				h.wantError(k, grant.ErrTransient)
				time.Sleep(tt.after - 15*time.Second) // the request above waited 15 s
				if _, err := h.token(k); !errors.Is(err, tt.wanted) {
					t.Errorf("next request: %v, want %v", err, tt.wanted)
				}
				if h.op.count() > 2 {
					t.Errorf("%d presentations, want at most one more than the lost one", h.op.count())
				}
				time.Sleep(101 * time.Hour)
			})
		})
	}
}
