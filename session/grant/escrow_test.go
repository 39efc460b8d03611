package grant_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// unstored brings the house to where the provider has answered with at1 and rt1,
// and the store has stopped taking writes just before.
func (h *house) unstored(k *grant.Keeper) {
	h.t.Helper()
	h.op.takes = time.Second
	time.Sleep(2 * time.Hour)
	go func() {
		time.Sleep(500 * time.Millisecond)
		h.store.RefuseWrites(errDown)
	}()
	h.mustToken(k, "at1")
	h.op.takes = 0
}

func TestI2EveryRequestOfTheProcessIsServedFromEscrow(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.unstored(k)
		for range 40 { // as long as it lasts
			h.mustToken(k, "at1")
			snapshot, err := h.request(k).Snapshot(t.Context())
			if err != nil || snapshot.RefreshToken.Reveal() != "rt1" || snapshot.Phase != grant.Fresh {
				t.Fatalf("snapshot %+v, %v; want what is in escrow", snapshot, err)
			}
			if err := h.request(k).RefreshSince(t.Context(), time.Now().Add(-time.Minute)); err != nil {
				t.Fatalf("renewal of the session: %v", err)
			}
			time.Sleep(time.Second)
		}
		h.wantCalls(1)
		h.store.Heal()
		time.Sleep(6 * time.Second)
		h.mustToken(h.process(), "at1")
	})
}

// The refresh token of an answer that is not stored is of no use to a process
// that comes after a crash: it must not be used up before that answer is safe.
func TestEscrowIsStoredBeforeTheNextRefreshTokenIsPresented(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.unstored(k)
		elsewhere := grant.Resource("https://other.example")
		if _, err := h.request(k).Token(t.Context(), elsewhere); !errors.Is(err, grant.ErrStore) {
			t.Errorf("another audience: %v, want ErrStore", err)
		}
		time.Sleep(6 * time.Second)
		if err := h.request(k).Refresh(t.Context()); !errors.Is(err, grant.ErrStore) {
			t.Errorf("forced refresh: %v, want ErrStore", err)
		}
		h.mustToken(k, "at1")
		h.wantCalls(1)

		h.store.Heal()
		token, err := h.request(k).Token(t.Context(), elsewhere) // at once: who needs it stores it
		if err != nil || token.AccessToken != "at2https://other.example" || h.op.presented["rt1"] != 1 {
			t.Errorf("%v, %v after the store is back; presented %v", token, err, h.op.presented)
		}
		h.mustToken(k, "at1")
		h.wantCalls(2)
	})
}

func TestI8EndedLoginIsNotServedFromEscrowAndItsTokenIsRevoked(t *testing.T) {
	for _, by := range []string{"the same process", "another process"} {
		t.Run(by, func(t *testing.T) {
			story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
				other := h.process()
				defer other.Close()
				h.unstored(k)
				ending := k
				if by == "another process" {
					ending = other
				}
				if err := ending.End(t.Context(), key, "op"); !errors.Is(err, grant.ErrStore) {
					t.Fatalf("End while the store takes no writes: %v, want ErrStore", err)
				}
				h.mustToken(k, "at1")

				h.store.Heal()
				if err := ending.End(t.Context(), key, "op"); err != nil {
					t.Fatal(err)
				}
				h.wantError(k, grant.ErrSessionEnded)
				time.Sleep(10 * time.Second)
				h.wantError(k, grant.ErrSessionEnded)
				synctest.Wait()
				if !slices.Contains(h.op.revoked, "rt1") || len(h.op.live) != 0 {
					t.Errorf("revoked %v, live %v; want nothing alive", h.op.revoked, h.op.live)
				}
			})
		})
	}
}

// Another process was quicker once the store was back.
func TestEscrowGivesWayToAGrantThatMovedOn(t *testing.T) {
	story(t, reusable, func(t *testing.T, h *house, k *grant.Keeper) {
		h.unstored(k)
		time.Sleep(30 * time.Second)
		h.cfg.Store = h.store
		other := h.process()
		defer other.Close()
		h.store.Heal()
		h.mustToken(other, "at2")
		h.mustToken(k, "at2")
		time.Sleep(10 * time.Second)
		h.mustToken(k, "at2")
		h.wantCalls(2)
	})
}

// Answers that wait to be stored are bounded in number: before there are too
// many, nobody gets one more.
func TestEscrowIsBounded(t *testing.T) {
	gathering(t, strict, 1200, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		c.cfg.Store = &odd{Store: c.store}
		k := c.process()
		full := 0
		for i := range c.keys {
			if _, err := c.token(t.Context(), k, i); errors.Is(err, grant.ErrStore) {
				full++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n := c.op.count(); n != 1024 || full != 1200-1024 {
			t.Errorf("%d presented, %d refused; want 1024 and no more", n, full)
		}
		c.cfg.Store.(*odd).heal()
		time.Sleep(6 * time.Second)
		if failed := c.all(k); len(failed) != 0 {
			t.Errorf("when the store is back: %v", failed)
		}
		k.Close()
	})
}

func TestI3FailedStoreLosesNoAnswer(t *testing.T) {
	gathering(t, strict, 200, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.takes = 700 * time.Millisecond
		var wg sync.WaitGroup
		wg.Go(func() { // a store that comes and goes
			for range 20 {
				c.store.RefuseWrites(errDown)
				time.Sleep(300 * time.Millisecond)
				c.store.Heal()
				time.Sleep(300 * time.Millisecond)
			}
		})
		for i := range c.keys {
			wg.Go(func() {
				for {
					_, err := c.token(t.Context(), k, i)
					switch {
					case err == nil:
						return
					case errors.Is(err, grant.ErrStore), errors.Is(err, grant.ErrTransient):
						time.Sleep(500 * time.Millisecond)
					default:
						t.Errorf("user %d: %v", i, err)
						return
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		for rt, n := range c.op.presented {
			if n > 1 {
				t.Errorf("%s presented %d times", rt, n)
			}
		}
		time.Sleep(2 * time.Hour)
		c.op.takes = 0
		if failed := c.all(k); len(failed) != 0 {
			t.Errorf("next refresh: %v", failed)
		}
	})
}

// The answer about somebody else is in nobody's hands, stored or not.
func TestEscrowHoldsNothingOfSomebodyElse(t *testing.T) {
	story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		h.op.takes = time.Second
		time.Sleep(2 * time.Hour)
		go func() {
			time.Sleep(500 * time.Millisecond)
			h.store.RefuseWrites(errDown)
		}()
		h.wantError(k, grant.ErrReauthRequired)
		for range 60 {
			if token, err := h.token(k); err == nil {
				t.Fatalf("token = %q of somebody else", token)
			}
			time.Sleep(time.Second)
		}
	})
}
