package session_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// pending stores a sign-in that can be claimed for a minute.
func (h *house) pending() (id string) {
	h.t.Helper()
	id, err := h.StartPending(h.t.Context(), h.login(), time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) listed() int {
	h.t.Helper()
	list, err := h.Sessions(h.t.Context(), session.User{Provider: "op", Issuer: "https://op.example", ID: "alice"})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

// told checks what the hooks have said since the last time.
func (h *house) told(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.said, want) {
		h.t.Errorf("the hooks said %q, want %q", h.said, want)
	}
	h.said = nil
}

func TestPendingSignInIsNoSession(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		id := h.pending()
		if _, err := h.Open(t.Context(), id); !errors.Is(err, session.ErrNone) {
			t.Errorf("opened: %v", err)
		}
		if n := h.listed(); n != 0 {
			t.Errorf("%d sessions are listed", n)
		}
		h.told()
		s, err := h.Claim(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		h.told("started")
		if s.ID != id || s.Carrier() != session.Token || h.listed() != 1 {
			t.Errorf("claimed %v by %v, %d listed", s, s.Carrier(), h.listed())
		}
		w := httptest.NewRecorder()
		if h.WriteCookie(w, s); len(w.Header()) != 0 {
			t.Errorf("a cookie for a program: %v", w.Header())
		}
		time.Sleep(7 * time.Hour) // it lasts as long as any
		if back := h.load(program(h.tokenOf(s))); back.ID != id || back.State() != session.Active {
			t.Errorf("after hours: %v, %v", back, back.State())
		}
		if got, err := h.load(program(h.tokenOf(s))).Tokens(t.Context()); err != nil || got.RefreshToken.IsZero() {
			t.Errorf("its tokens: %v", err)
		}
	})
}

// Its code is worth nothing to the second who finds it, on whatever replica (REP2).
func TestPendingSignInIsClaimedOnce(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		id := h.pending()
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			claimed int
		)
		for range 20 {
			wg.Go(func() {
				_, err := h.Claim(t.Context(), id)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					claimed++
				case !errors.Is(err, session.ErrNone):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if claimed != 1 || h.listed() != 1 {
			t.Errorf("claimed %d times, %d sessions", claimed, h.listed())
		}
	})
}

func TestPendingSignInThatNobodyClaimsEnds(t *testing.T) {
	for after, fine := range map[time.Duration]bool{time.Minute: true, time.Minute + time.Nanosecond: false, 2 * time.Minute: false} {
		story(t, nil, func(t *testing.T, h *house) {
			id := h.pending()
			time.Sleep(after)
			if _, err := h.Claim(t.Context(), id); fine != (err == nil) || !fine && !errors.Is(err, session.ErrNone) {
				t.Errorf("claimed after %s: %v", after, err)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if revoked := slices.Equal(h.op.revoked, []string{"refresh-0"}); revoked == fine {
				t.Errorf("after %s: revoked %v", after, h.op.revoked)
			}
			if n := h.rows.Len(); fine != (n == 2) || !fine && n != 0 {
				t.Errorf("after %s: %d rows", after, n)
			}
			if !fine {
				h.told() // nobody was signed in
			}
		})
	}
}

// The process that began it is killed: no other one can be told, and none needs to.
func TestPendingSignInEndsWithoutTheProcessThatBeganIt(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		id := h.pending()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Minute)
		if _, err := h.Claim(t.Context(), id); !errors.Is(err, session.ErrNone) {
			t.Errorf("claimed: %v", err)
		}
		if rows, err := h.rows.Load(t.Context(), "easyauth:{"+id+"}:session"); err != nil || rows[0].Version != 0 {
			t.Errorf("its row is still there: %v", err)
		}
	})
}

func TestDisclaimEndsWhatIsPendingAndNothingElse(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		id := h.pending()
		if err := h.Disclaim(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Claim(t.Context(), id); !errors.Is(err, session.ErrNone) || h.rows.Len() != 0 || len(h.op.revoked) != 1 {
			t.Errorf("claimed afterwards: %v; %d rows, revoked %v", err, h.rows.Len(), h.op.revoked)
		}
		h.told()

		id = h.pending()
		s, err := h.Claim(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Disclaim(t.Context(), id); err != nil { // the thief of a code that was traded already
			t.Error(err)
		}
		if _, err := h.Open(t.Context(), s.ID); err != nil {
			t.Errorf("the session was ended by its code: %v", err)
		}
	})
}

// The right client and the thief of its code come at the same moment.
func TestClaimAndDisclaimHaveOneWinner(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		for range 200 {
			id := h.pending()
			var wg sync.WaitGroup
			var claimed, disclaimed error
			wg.Go(func() { _, claimed = h.Claim(t.Context(), id) })
			wg.Go(func() { disclaimed = h.Disclaim(t.Context(), id) })
			wg.Wait()
			_, opened := h.Open(t.Context(), id)
			if disclaimed != nil || (claimed == nil) != (opened == nil) {
				t.Fatalf("claimed: %v, disclaimed: %v, opened: %v", claimed, disclaimed, opened)
			}
		}
	})
}

// SES11: whoever is signed out everywhere is not signed in by an answer that waits.
func TestPendingSignInEndsWithTheUsersSessions(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		id := h.pending()
		if _, err := h.EndNamed(t.Context(), "op", "https://op.example", "alice", ""); err != nil {
			t.Error(err)
		}
		if _, err := h.Claim(t.Context(), id); !errors.Is(err, session.ErrNone) {
			t.Errorf("claimed: %v", err)
		}
	})
}

func TestClaimSurvivesAStoreThatFails(t *testing.T) {
	lost := errors.New("connection reset")
	story(t, nil, func(t *testing.T, h *house) {
		id := h.pending()
		h.fault.RefuseWrites(lost)
		if _, err := h.Claim(t.Context(), id); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("claimed: %v", err)
		}
		if err := h.Disclaim(t.Context(), id); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("disclaimed: %v", err)
		}
		h.fault.Heal()
		if _, err := h.Claim(t.Context(), id); err != nil {
			t.Errorf("a second time: %v", err)
		}

		id = h.pending()
		h.fault.LoseAnswers(lost)
		_, err := h.Claim(t.Context(), id)
		h.fault.Heal()
		if err != nil || h.listed() != 2 {
			t.Errorf("with the answer lost: %v; %d sessions", err, h.listed())
		}
		if _, err := h.Claim(t.Context(), id); !errors.Is(err, session.ErrNone) {
			t.Errorf("a second time: %v", err)
		}
	})
}

// CVE-2026-42560: nobody in particular is nobody.
func TestPendingSignInOfNobodyIsRefused(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		login := h.login()
		login.Identity.Subject = ""
		_, err := h.StartPending(t.Context(), login, time.Minute)
		if pe, ok := errors.AsType[*providers.Error](err); !ok || pe.Kind != providers.Invalid || h.rows.Len() != 0 {
			t.Errorf("%v, %d rows", err, h.rows.Len())
		}
	})
}
