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
	"github.com/goeasyauth/easyauth/store"
)

const nextKey = "easyauth:{next}:grant"

// signInAgain stores what the next sign-in of the same browser brought.
func (h *house) signInAgain(k *grant.Keeper, refreshToken string) {
	h.t.Helper()
	err := k.Create(h.t.Context(), nextKey, "op", providers.Tokens{
		AccessToken: providers.NewSecret("at-again"), RefreshToken: providers.NewSecret(refreshToken),
		SentAt: time.Now(), ExpiresIn: h.op.life,
	}, time.Now().Add(1000*time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
}

// revoked are the refresh tokens that the provider was told to forget.
func (h *house) revoked() []string {
	h.op.mu.Lock()
	defer h.op.mu.Unlock()
	return slices.Clone(h.op.revoked)
}

// next is a request of the session that the next sign-in began.
func (h *house) next(k *grant.Keeper) *grant.Grant {
	h.t.Helper()
	entries, err := h.rows.Load(h.t.Context(), nextKey)
	if err != nil {
		h.t.Fatal(err)
	}
	g := new(grant.Grant)
	k.Open(g, nextKey, grant.Owner{SessionID: "next", Provider: "op"}, entries[0])
	return g
}

// Contract 1.8: Google gives a refresh token at the first consent only.
func TestSignInWithoutRefreshTokenGoesOnWithTheOldOne(t *testing.T) {
	for _, tt := range []struct {
		name    string
		policy  providers.RefreshPolicy
		brought string // by the next sign-in
		held    string // by it afterwards
	}{
		{"none came", strict, "", "rt0"},
		{"none came, and the provider keeps its tokens", reusable, "", "rt0"},
		{"one came, of the same authorization perhaps", strict, "rt-again", "rt-again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, tt.policy, func(t *testing.T, h *house, k *grant.Keeper) {
				h.op.live["rt-again"] = true
				h.signInAgain(k, tt.brought)
				if err := k.Succeed(t.Context(), key, nextKey, "op"); err != nil {
					t.Fatal(err)
				}
				h.wantError(k, grant.ErrSessionEnded)
				got, err := h.next(k).Snapshot(t.Context())
				if err != nil || got.RefreshToken.Reveal() != tt.held || got.AccessToken.Reveal() != "at-again" {
					t.Errorf("the next sign-in has %q and %q, %v; want %q", got.RefreshToken.Reveal(), got.AccessToken.Reveal(), err, tt.held)
				}
				if len(h.revoked()) != 0 {
					t.Errorf("revoked %v, which may end the next sign-in's tokens too", h.revoked())
				}
				time.Sleep(2 * time.Hour)
				_, err = h.next(k).Token(t.Context(), grant.Audience{})
				synctest.Wait()
				if err != nil || h.op.presented[tt.held] != 1 {
					t.Errorf("refreshed: %v, presented %v", err, h.op.presented)
				}
			})
		})
	}
}

// The refresh token is under way, or may be consumed: it is not handed on. Nothing
// is revoked either, now or when the answer comes: at many providers that would
// end the next sign-in's tokens, and its user would sign in for nothing.
func TestRefreshTokenInUseIsNotHandedOn(t *testing.T) {
	for _, tt := range []struct {
		name    string
		takes   time.Duration // the refresh that is under way
		fail    bool          // its answer is lost
		brought string        // by the next sign-in
		held    string        // by it afterwards
		waits   time.Duration
	}{
		{"its answer comes in time, and that is handed on", 2 * time.Second, false, "", "rt1", 1600 * time.Millisecond},
		{"its answer comes late", 10 * time.Second, false, "", "", 3 * time.Second},
		{"its answer is lost", time.Second, true, "", "", 3 * time.Second},
		{"its answer comes late, and nobody needs it", 10 * time.Second, false, "rt-again", "rt-again", 0},
		{"its answer is lost, and nobody needs it", time.Second, true, "rt-again", "rt-again", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
				h.op.live["rt-again"] = true
				time.Sleep(2 * time.Hour)
				h.op.answers = []answer{{takes: tt.takes, fail: tt.fail, rotates: true, kind: providers.Unknown}}
				g := h.request(k)
				go g.Token(context.WithoutCancel(t.Context()), grant.Audience{})
				time.Sleep(500 * time.Millisecond)
				other := h.process() // the sign-in is served by another replica
				h.signInAgain(other, tt.brought)
				began := time.Now()
				if err := other.Succeed(t.Context(), key, nextKey, "op"); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > tt.waits {
					t.Errorf("the sign-in waited %v, want at most %v", took, tt.waits)
				}
				time.Sleep(2 * time.Minute)
				h.wantError(other, grant.ErrSessionEnded)
				got, err := h.next(other).Snapshot(t.Context())
				if err != nil || got.RefreshToken.Reveal() != tt.held {
					t.Errorf("the next sign-in has %q, %v; want %q", got.RefreshToken.Reveal(), err, tt.held)
				}
				if len(h.revoked()) > 0 {
					t.Errorf("revoked %v", h.revoked())
				}
				h.wantCalls(1)
			})
		})
	}
}

// Wherever the sign-in meets a refresh, no refresh token is presented twice, and
// none that lives is left to nobody.
func TestSuccessionAtAnyMomentOfARefresh(t *testing.T) {
	for at := time.Duration(0); at <= 1200*time.Millisecond; at += 100 * time.Millisecond {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			time.Sleep(2 * time.Hour)
			h.op.takes = time.Second
			h.signInAgain(k, "")
			g := h.request(k)
			go g.Token(context.WithoutCancel(t.Context()), grant.Audience{})
			time.Sleep(at)
			if err := k.Succeed(t.Context(), key, nextKey, "op"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			if _, err := h.next(k).Token(t.Context(), grant.Audience{}); err != nil {
				t.Errorf("after %v: %v", at, err)
			}
			synctest.Wait()
			for rt, n := range h.op.presented {
				if n > 1 {
					t.Errorf("after %v: %s presented %d times", at, rt, n)
				}
			}
			if len(h.op.live) != 1 {
				t.Errorf("after %v: %v live at the provider, want one", at, h.op.live)
			}
		})
	}
}

// refusing is a store that does not take one row, for a while.
type refusing struct {
	store.Store
	key   string
	times int
}

func (r *refusing) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if key == r.key && e.Version > 0 && r.times > 0 {
		r.times--
		return store.Entry{}, errors.New("connection refused")
	}
	return r.Store.Save(ctx, key, e)
}

func TestRefreshTokenIsHandedOnWhenTheStoreIsBack(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.cfg.Store = &refusing{h.store, nextKey, 4}
		signing := h.process()
		h.signInAgain(signing, "")
		if err := signing.Succeed(t.Context(), key, nextKey, "op"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got, err := h.next(k).Snapshot(t.Context()); err != nil || got.RefreshToken.Reveal() != "rt0" {
			t.Errorf("the next sign-in has %q, %v; want rt0", got.RefreshToken.Reveal(), err)
		}
		if len(h.revoked()) > 0 {
			t.Errorf("revoked %v", h.revoked())
		}
	})
}

func TestSuccessionWithoutAStoreEndsNothing(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.signInAgain(k, "")
		h.store.Fail(errDown)
		if err := k.Succeed(t.Context(), key, nextKey, "op"); !errors.Is(err, grant.ErrStore) {
			t.Errorf("%v, want ErrStore", err)
		}
		h.store.Heal()
		h.mustToken(k, "at0")
	})
}

func TestRefreshTokenOfASignInThatIsOverAlreadyIsRevoked(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.signInAgain(k, "")
		h.cfg.Store = &interrupted{Store: h.store, by: func() {
			if err := k.End(t.Context(), nextKey, "op"); err != nil {
				t.Error(err)
			}
		}}
		if err := h.process().Succeed(t.Context(), key, nextKey, "op"); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.revoked(), []string{"rt0"}) {
			t.Errorf("revoked %v, want rt0", h.revoked())
		}
	})
}

// What was known of the refresh token is known of it still.
func TestRefreshTokenThatIsHandedOnIsAsOldAsItWas(t *testing.T) {
	story(t, providers.RefreshPolicy{Lifetime: 24 * time.Hour}, func(t *testing.T, h *house, _ *grant.Keeper) {
		h.op.keeps, h.cfg.ReauthNotice = true, 2*time.Hour
		k := h.process()
		time.Sleep(23 * time.Hour)
		h.mustToken(k, "at1") // the provider keeps its tokens, and this one dies soon
		h.mustToken(k, "at1")
		time.Sleep(time.Second) // that is told behind the request
		h.signInAgain(k, "")
		if err := k.Succeed(t.Context(), key, nextKey, "op"); err != nil {
			t.Fatal(err)
		}
		got, err := h.next(k).Snapshot(t.Context())
		if err != nil || time.Until(got.RefreshExpiresAt) != time.Hour-time.Second {
			t.Errorf("it dies in %v, %v", time.Until(got.RefreshExpiresAt), err)
		}
		time.Sleep(59*time.Minute + 30*time.Second)
		synctest.Wait()
		h.op.answers = []answer{{fail: true, kind: providers.Unknown}}
		h.next(k).Token(t.Context(), grant.Audience{})
		if _, err := h.next(k).Token(t.Context(), grant.Audience{}); err != nil {
			t.Errorf("that a used token stays good was forgotten: %v", err)
		}
		synctest.Wait()
		if n := len(slices.DeleteFunc(slices.Clone(h.said), func(s string) bool { return s != "reauth soon" })); n != 1 {
			t.Errorf("the end was told %d times: %v", n, h.said)
		}
	})
}

// B34: tokens of another registration are sent nowhere, under no session.
func TestB34RefreshTokenOfAnotherRegistrationIsNotHandedOn(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.client = "another"
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		h.login(k) // under the key of before, as only a test can
		h.op.client, h.op.revoked = "ours", nil
		h.signInAgain(k, "")
		if err := k.Succeed(t.Context(), key, nextKey, "op"); err != nil {
			t.Fatal(err)
		}
		if got, err := h.next(k).Snapshot(t.Context()); err != nil || !got.RefreshToken.IsZero() || len(h.revoked()) > 0 {
			t.Errorf("the next sign-in has %q, revoked %v, %v", got.RefreshToken.Reveal(), h.revoked(), err)
		}
	})
}
