package grant_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/storetest"
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

// The provider answered, the store does not take it.
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

// B32, JWT18: the refresh is about somebody else.
func TestIdentityThatChangesEndsTheLogin(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrReauthRequired)
		h.wantError(k, grant.ErrSessionEnded)
		if !slices.Contains(h.op.revoked, "rt1") || !slices.Contains(h.said, "expelled:identity_mismatch") {
			t.Errorf("revoked %v, said %v: want rt1 revoked and the session expelled", h.op.revoked, h.said)
		}
	})
}

// A refresh is also the moment at which the provider tells that the user has left
// the group whose members may come in (contract 4, authorization).
func TestUserWhoMayNotComeInAnyMoreIsOutAtTheNextRefresh(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.NotAllowed}
		time.Sleep(2 * time.Hour)
		err := h.wantError(k, grant.ErrReauthRequired)
		if reauth, ok := errors.AsType[*grant.ReauthError](err); !ok || reauth.Reason != grant.ReasonNotAllowed {
			t.Errorf("error %v, want the reason %s", err, grant.ReasonNotAllowed)
		}
		h.wantError(k, grant.ErrSessionEnded)
		if !slices.Contains(h.op.revoked, "rt1") || !slices.Contains(h.said, "expelled:not_allowed") {
			t.Errorf("revoked %v, said %v: want rt1 revoked and the session expelled", h.op.revoked, h.said)
		}
	})
}

// JWT18: other processes never see the tokens of somebody else, unless the keys
// that would tell have to be fetched: the answer is stored before that, because
// it may be about the user after all.
func TestJWT18TokensOfSomebodyElseAreNotStored(t *testing.T) {
	mismatch := &providers.Error{Kind: providers.Mismatch}
	for _, row := range []struct {
		name     string
		verdicts []error
		stored   []string // the access token that others see while each is found
	}{
		{"keys are known", []error{mismatch}, []string{"at0"}},
		{"keys are not known", []error{context.DeadlineExceeded, mismatch}, []string{"at0", "at1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
				other, verdicts := h.process(), row.verdicts
				var seen []string
				h.op.idToken = true
				h.op.verifying = func() {
					snapshot, err := h.request(other).Snapshot(t.Context())
					if err != nil {
						t.Error(err)
					}
					seen = append(seen, snapshot.AccessToken.Reveal())
					h.op.identity, verdicts = verdicts[0], verdicts[1:]
				}
				time.Sleep(2 * time.Hour)
				h.wantError(k, grant.ErrReauthRequired)
				if !slices.Equal(seen, row.stored) {
					t.Errorf("others saw %q, want %q", seen, row.stored)
				}
				h.wantError(other, grant.ErrSessionEnded)
			})
		})
	}
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
		if !slices.Contains(h.said, "refreshed") {
			t.Error("Close did not wait for the answer and its commit")
		}
		h.mustToken(h.process(), "at1")
		h.wantCalls(1)
	})
}

// I7: a token that was there a moment ago is served while the store cannot be
// asked, and not for long: nobody knows whether the session has ended meanwhile.
func TestGrantThatOutlivesItsRequestKeepsItsTokenThroughAShortOutage(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		g := h.request(k)
		h.store.Fail(errDown)
		for range 30 {
			time.Sleep(time.Second)
			if _, err := g.Token(t.Context(), grant.Audience{}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrStore) {
			t.Errorf("token: %v, want ErrStore", err)
		}
	})
}

// E6.6: a process that was suspended between begin and the call does not send.
func TestFrozenProcessDoesNotSend(t *testing.T) {
	story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
		h.cfg.Store = slowAcknowledgement{h.store, 30 * time.Second}
		frozen := h.process()
		defer frozen.Close()
		time.Sleep(2 * time.Hour)
		h.request(frozen).Token(t.Context(), grant.Audience{})
		time.Sleep(20 * time.Second)
		h.wantCalls(0)
		time.Sleep(10 * time.Minute)
		h.mustToken(k, "at1") // and nothing is in doubt
	})
}

// slowAcknowledgement is a store whose writes take place at once and return
// late: for its process, time stands still in between.
type slowAcknowledgement struct {
	store.Store
	by time.Duration
}

func (s slowAcknowledgement) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	saved, err := s.Store.Save(ctx, key, e)
	time.Sleep(s.by)
	return saved, err
}

func TestStormAsksTheStoreOnceForAll(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		counting := storetest.NewCounting(h.store)
		h.cfg.Store = counting
		k := h.process()
		defer k.Close()
		h.op.takes = time.Second
		time.Sleep(2 * time.Hour)
		g := h.request(k)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { g.Token(t.Context(), grant.Audience{}) })
		}
		wg.Wait()
		if n := counting.Counts().Loads; n > 3 {
			t.Errorf("%d loads for one refresh", n)
		}
	})
}

func TestAudiencesAreBounded(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		ask := func(i int) {
			time.Sleep(time.Second)
			aud := grant.Scopes("b", fmt.Sprintf("a%d", i))
			if _, err := h.request(k).Token(t.Context(), aud); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 20 {
			ask(i)
		}
		h.wantCalls(20)
		ask(19)
		h.mustToken(k, "at0")
		h.wantCalls(20)
		ask(0)
		h.wantCalls(21)
	})
}

// An answer about somebody else is not kept in escrow until the store takes it.
func TestUnstoredAnswerAboutSomebodyElseIsNeverStored(t *testing.T) {
	story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		time.Sleep(2 * time.Hour)
		h.op.takes = time.Second
		g := h.request(k)
		go func() {
			time.Sleep(500 * time.Millisecond)
			h.store.Fail(errDown)
		}()
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("token: %v, want ErrReauthRequired", err)
		}
		h.store.Heal()
		time.Sleep(time.Minute)
		if token, err := h.token(k); err == nil {
			t.Errorf("token = %q of somebody else", token)
		}
	})
}

// The process is ending, and the store stumbles just then.
func TestClosedKeeperTriesAnUnstoredAnswerOnceMore(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		h.cfg.Store = &stumbling{Store: h.store, at: 2} // begin, commit
		k := h.process()
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

// stumbling is a store that fails one write.
type stumbling struct {
	store.Store
	writes, at int
}

func (s *stumbling) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if s.writes++; s.writes == s.at {
		return store.Entry{}, errDown
	}
	return s.Store.Save(ctx, key, e)
}

// odd is a store that takes the write of every attempt and of no answer.
type odd struct {
	store.Store
	mu     sync.Mutex
	healed bool
}

func (o *odd) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.healed && !strings.Contains(string(e.Value), `"attempt"`) {
		return store.Entry{}, errDown
	}
	return o.Store.Save(ctx, key, e)
}

func (o *odd) heal() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.healed = true
}

// A provider that is no longer configured.
func TestGrantOfAProviderThatIsGone(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		h.cfg.Providers = nil
		k := h.process()
		h.mustToken(k, "at0")
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrUnsupported)
		if err := h.request(k).RefreshSince(t.Context(), time.Now()); !errors.Is(err, grant.ErrUnsupported) {
			t.Errorf("RefreshSince: %v", err)
		}
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Errorf("End: %v", err)
		}
	})
}

// The provider says that nothing was consumed, and the store does not take that
// down: the token is not in doubt for it once the store is back.
func TestHarmlessFailureThatIsNotStoredLeavesNoDoubt(t *testing.T) {
	story(t, wide, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.answers = []answer{{fail: true, kind: providers.Busy, takes: time.Second}}
		time.Sleep(2 * time.Hour)
		g := h.request(k)
		go func() {
			time.Sleep(500 * time.Millisecond)
			h.store.Fail(errDown)
		}()
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrStore) {
			t.Errorf("token: %v, want ErrStore", err)
		}
		time.Sleep(time.Minute)
		h.store.Heal()
		time.Sleep(10 * time.Second)
		h.mustToken(k, "at2")
	})
}

// I17: the tokens of somebody else that could not be deleted are deleted as soon
// as they can be.
func TestI17TokensOfSomebodyElseGoAsSoonAsTheStoreIsBack(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		h.op.verifying = func() { h.store.RefuseWrites(errDown) }
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrReauthRequired)
		time.Sleep(time.Minute)
		h.store.Heal()
		time.Sleep(6 * time.Second)
		h.wantError(k, grant.ErrSessionEnded)
		synctest.Wait()
		if !slices.Contains(h.op.revoked, "rt1") {
			t.Errorf("revoked %v, want rt1", h.op.revoked)
		}
	})
}
