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
	"github.com/goeasyauth/easyauth/store"
)

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

func TestRevocationIsTriedAgain(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.unrevoked = 2
		before := time.Now()
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(before); waited > time.Second {
			t.Errorf("the one who signs out waited %v", waited)
		}
		time.Sleep(10 * time.Second)
		k.Close() // the revocation went on behind the one who signed out
		if !slices.Equal(h.op.revoked, []string{"rt0"}) {
			t.Errorf("revoked %v, want rt0", h.op.revoked)
		}
	})
}

// A stream keeps its Grant for hours: it learns of the logout all the same.
func TestGrantThatOutlivesItsRequestLearnsOfTheEnd(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		g := h.request(k)
		if err := h.process().End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrSessionEnded) {
			t.Errorf("token: %v, want ErrSessionEnded", err)
		}
	})
}

// SES4: a refresh commits between the look and the deletion of a logout. What it
// stored is not merely deleted but revoked.
func TestI8RefreshThatCommitsDuringALogoutIsRevoked(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.cfg.Store = &interrupted{Store: h.store, by: func() { h.mustToken(k, "at1") }}
		ending := h.process()
		if err := ending.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		h.wantError(k, grant.ErrSessionEnded)
		if len(h.op.live) != 0 || !slices.Contains(h.op.revoked, "rt1") {
			t.Errorf("revoked %v, live %v", h.op.revoked, h.op.live)
		}
		ending.Close()
		if entries, err := h.store.Load(t.Context(), key); err != nil || entries[0].Version != 0 {
			t.Errorf("row of version %d left, %v", entries[0].Version, err)
		}
	})
}

// interrupted is a store before whose first write something happens.
type interrupted struct {
	store.Store
	once sync.Once
	by   func()
}

func (i *interrupted) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	i.once.Do(i.by)
	return i.Store.Save(ctx, key, e)
}

func (i *interrupted) Delete(ctx context.Context, key string) error {
	i.once.Do(i.by)
	return i.Store.Delete(ctx, key)
}

// A row that nobody can read belongs to no login, and is deleted all the same.
func TestEndDeletesWhatItCannotRead(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		entries, _ := h.store.Load(t.Context(), key)
		entries[0].Value = []byte("2{}")
		if _, err := h.store.Save(t.Context(), key, entries[0]); err != nil {
			t.Fatal(err)
		}
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		if entries, _ := h.store.Load(t.Context(), key); entries[0].Version != 0 {
			t.Error("the row is still there")
		}
	})
}

// A logout whose acknowledgement is lost has ended the login, and revokes.
func TestEndWhoseAcknowledgementIsLost(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.store.LoseAnswers(errDown)
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Error(err)
		}
		h.store.Heal()
		h.wantError(k, grant.ErrSessionEnded)
		if !slices.Equal(h.op.revoked, []string{"rt0"}) {
			t.Errorf("revoked %v", h.op.revoked)
		}
	})
}

// A late answer brought the grant back after somebody had found it dead, and
// before they ended it (found by the simulation, seed 9150).
func TestGrantThatLivesAgainIsNotEndedForItsRefusal(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		if err := k.EndRefused(t.Context(), key, "op"); !errors.Is(err, grant.ErrTransient) {
			t.Errorf("end of a grant that lives: %v, want ErrTransient", err)
		}
		h.mustToken(k, "at0")
		h.op.answers = []answer{{fail: true, kind: providers.Revoked}}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrReauthRequired)
		if err := k.EndRefused(t.Context(), key, "op"); err != nil {
			t.Errorf("end of a dead grant: %v", err)
		}
		h.wantError(k, grant.ErrSessionEnded)
	})
}

// accessOnly is a provider that gives no refresh tokens, and whose access tokens
// live until somebody revokes them.
type accessOnly struct {
	providers.Provider
	revoked []string
}

func (p *accessOnly) RevokeAccess(_ context.Context, at providers.Secret) error {
	p.revoked = append(p.revoked, at.Reveal())
	return nil
}

// GitHub's access tokens never expire: they end with the sign-in.
func TestAccessTokenIsRevokedWhereThatIsAllThereIs(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		p := new(accessOnly)
		h.cfg.Providers = map[string]providers.Provider{"op": p}
		k := h.process()
		h.mustToken(k, "at0")
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !slices.Equal(p.revoked, []string{"at0"}) {
			t.Errorf("revoked %v, want at0", p.revoked)
		}
	})
}
