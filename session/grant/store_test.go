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

var errDown = errors.New("connection refused")

func TestStoreOutageIsNotASignOut(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		g := h.request(k)
		h.store.Fail(errDown)
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrStore) {
			t.Errorf("token: %v, want ErrStore", err)
		}
		if err := k.End(t.Context(), key, "op"); !errors.Is(err, grant.ErrStore) {
			t.Errorf("end: %v, want ErrStore", err)
		}
		h.wantCalls(0)
		h.store.Heal()
		h.mustToken(k, "at1")
	})
}

func TestStoreThatHangsIsGivenUpWithinASecond(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		g := h.request(k)
		h.store.Hang()
		before := time.Now()
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrStore) {
			t.Errorf("token: %v, want ErrStore", err)
		}
		if waited := time.Since(before); waited >= time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

// refresh.md B17: the provider answered, the store does not take it.
func TestAnswerThatTheStoreDoesNotTakeIsServedAndStoredLater(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.op.takes = time.Second
		g := h.request(k)
		go func() {
			time.Sleep(500 * time.Millisecond) // after begin, before the answer
			h.store.Fail(errDown)
		}()
		token, err := g.Token(t.Context(), grant.Audience{})
		if err != nil || token.AccessToken != "at1" {
			t.Fatalf("token = %v, %v; want at1 out of the escrow", token, err)
		}
		time.Sleep(time.Minute)
		h.store.Heal()
		time.Sleep(6 * time.Second)
		h.mustToken(k, "at1")
		h.wantCalls(1)
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at2")
	})
}

func TestCloseStoresWhatIsStillInEscrow(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.op.takes = time.Second
		g := h.request(k)
		go func() {
			time.Sleep(500 * time.Millisecond)
			h.store.RefuseWrites(errDown)
		}()
		if _, err := g.Token(t.Context(), grant.Audience{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		h.store.Heal()
		k.Close()
		h.mustToken(h.process(), "at1")
	})
}

// The store wrote and only its acknowledgement is lost.
func TestAcknowledgementLostByTheStore(t *testing.T) {
	story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.store.LoseAnswers(errDown)
		h.mustToken(k, "at1")
		h.store.Heal()
		h.mustToken(k, "at1")
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at2")
		h.wantCalls(2)
	})
}

// SES4, A8: logout while a refresh is under way.
func TestLogoutDuringARefreshStaysALogout(t *testing.T) {
	for at := time.Duration(0); at <= 1200*time.Millisecond; at += 100 * time.Millisecond {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			time.Sleep(2 * time.Hour)
			h.op.takes = time.Second
			g := h.request(k)
			go g.Token(context.WithoutCancel(t.Context()), grant.Audience{})
			time.Sleep(at)
			if err := k.End(t.Context(), key, "op"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			h.wantError(k, grant.ErrSessionEnded)
			h.op.mu.Lock()
			defer h.op.mu.Unlock()
			if len(h.op.live) != 0 {
				t.Errorf("logout after %v: %v still live at the provider", at, h.op.live)
			}
		})
	}
}

// B32, JWT18: the refresh is about somebody else.
func TestIdentityThatChangesEndsTheLogin(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrReauthRequired)
		h.wantError(k, grant.ErrSessionEnded)
		if !slices.Contains(h.op.revoked, "rt1") || !slices.Contains(h.said, "expelled") {
			t.Errorf("revoked %v, said %v: want rt1 revoked and the session expelled", h.op.revoked, h.said)
		}
	})
}

// B31: keys that cannot be fetched, or any other doubt about the ID token.
func TestIDTokenThatCannotBeVerifiedCostsNoToken(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Invalid}
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at1")
		h.mustToken(k, "at1")
	})
}

// STO2, DOS6: whatever is in the row, it is a login that ended and not a panic.
func TestRowOfAnotherFormatIsNoGrant(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		entries, _ := h.store.Load(t.Context(), key)
		for _, value := range []string{"2{}", "1", "1[]", "1{\"gen\":-1}", "\x00"} {
			e := entries[0]
			e.Value = []byte(value)
			saved, err := h.store.Save(t.Context(), key, e)
			if err != nil {
				t.Fatal(err)
			}
			entries[0] = saved
			h.wantError(h.process(), grant.ErrSessionEnded)
		}
	})
}

func TestClosedKeeperStartsNothing(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		k.Close()
		h.wantError(k, grant.ErrTransient)
		h.wantCalls(0)
	})
}

func TestCloseWaitsForTheAnswer(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.op.takes = 10 * time.Second
		g := h.request(k)
		go g.Token(context.WithoutCancel(t.Context()), grant.Audience{})
		synctest.Wait()
		k.Close()
		h.mustToken(h.process(), "at1")
		h.wantCalls(1)
	})
}
