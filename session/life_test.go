package session_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/storetest"
)

var revoked = &providers.Error{Provider: "op", Op: "refresh", Kind: providers.Revoked}

func TestSessionLivesEightHoursAndCanBeRenewedForSeventyTwo(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		for _, tt := range []struct {
			after time.Duration
			state session.State
		}{
			{0, session.Active},
			{8*time.Hour - time.Second, session.Active},
			{8 * time.Hour, session.Grace},
			{80*time.Hour - time.Second, session.Grace},
		} {
			time.Sleep(time.Until(start.Add(tt.after)))
			if s := h.load(r); s.State() != tt.state {
				t.Errorf("after %v: %v, want %v", tt.after, s.State(), tt.state)
			}
		}
		time.Sleep(time.Second)
		h.wantNone(r)
	})
}

// start is when every synctest bubble begins.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestRenewalKeepsIDAndCookieValue(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		time.Sleep(8*time.Hour + time.Second)
		expired := h.load(r)
		s, err := h.Renew(t.Context(), expired)
		if err != nil {
			t.Fatal(err)
		}
		if s.ID != expired.ID || s.State() != session.Active || time.Until(s.ExpiresAt) != 8*time.Hour || time.Until(s.GraceUntil) != 80*time.Hour {
			t.Errorf("renewed to %v, %v, expires %v", s, s.State(), s.ExpiresAt)
		}
		if token, err := s.Token(t.Context()); err != nil || token.AccessToken != "access-1" {
			t.Errorf("token = %v, %v; want the one that the renewal brought", token, err)
		}
		w := httptest.NewRecorder()
		h.WriteCookie(w, s)
		if c := w.Result().Cookies()[0]; c.Name+"="+c.Value != r.Header.Get("Cookie") || c.MaxAge != 288001 {
			t.Errorf("cookie %v: want the old value with 80 hours to live", c)
		}
		// Ten rounds of it: the rows outlive every renewal.
		for range 10 {
			time.Sleep(79 * time.Hour)
			if _, err := h.Renew(t.Context(), h.load(r)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRequestsInTheGracePeriodShareOneRenewal(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.op.takes = time.Second
		r := h.signIn()
		time.Sleep(9 * time.Hour)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if s, err := h.Renew(t.Context(), h.load(r)); err != nil || s.State() != session.Active {
					t.Errorf("renewed to %v, %v", s, err)
				}
			})
		}
		wg.Wait()
		if h.op.calls != 1 {
			t.Errorf("%d calls to the provider, want 1", h.op.calls)
		}
	})
}

func TestGracePeriodEndsByWhatTheProviderSays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		refuse error
		wanted []error // all of them
		over   bool
	}{
		{"revoked", revoked, []error{session.ErrNone, grant.ErrReauthRequired}, true},
		{"user needed", &providers.Error{Kind: providers.Interaction}, []error{session.ErrNone, grant.ErrReauthRequired}, true},
		{"provider down", &providers.Error{Kind: providers.NotSent}, []error{session.ErrUnavailable, grant.ErrTransient}, false},
		{"provider busy", &providers.Error{Kind: providers.Busy}, []error{session.ErrUnavailable, grant.ErrTransient}, false},
		{"answer lost", &providers.Error{Kind: providers.Unknown}, []error{session.ErrUnavailable, grant.ErrTransient}, false},
		{"client refused", &providers.Error{Kind: providers.Misconfigured}, []error{session.ErrUnavailable, grant.ErrMisconfigured}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				r := h.signIn()
				time.Sleep(9 * time.Hour)
				h.op.refuse = tt.refuse
				_, err := h.Renew(t.Context(), h.load(r))
				for _, wanted := range tt.wanted {
					if !errors.Is(err, wanted) {
						t.Errorf("renew: %v; want %v", err, wanted)
					}
				}
				if tt.over {
					h.wantNone(r)
					if h.rows.Len() != 0 {
						t.Errorf("%d rows left", h.rows.Len())
					}
					return
				}
				h.op.refuse = nil
				time.Sleep(2 * time.Minute)
				if _, err := h.Renew(t.Context(), h.load(r)); err != nil {
					t.Errorf("after the trouble: %v", err)
				}
			})
		})
	}
}

func TestRefreshInTheGracePeriodThatIsRefusedEndsTheSession(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		time.Sleep(9 * time.Hour)
		h.op.refuse = revoked
		if _, err := h.Refresh(t.Context(), h.load(r)); !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("refresh: %v, want ErrReauthRequired", err)
		}
		h.wantNone(r)
	})
}

// Who cannot be signed out now is not told to sign in: a late answer may bring
// the grant back while the store is away (found by the simulation, seed 2818).
func TestRefusedSessionThatTheStoreDoesNotEndIsUndecided(t *testing.T) {
	var fault *storetest.Faulty
	change := func(c *session.Config) {
		c.Hooks.RefreshFailed = func(context.Context, session.Event) { fault.RefuseWrites(errors.New("read-only")) }
	}
	story(t, change, func(t *testing.T, h *house) {
		fault = h.fault
		r := h.signIn()
		time.Sleep(9 * time.Hour)
		h.op.refuse = revoked
		if _, err := h.Renew(t.Context(), h.load(r)); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("renew: %v, want ErrUnavailable", err)
		}
		fault.Heal()
		if _, err := h.Renew(t.Context(), h.load(r)); !errors.Is(err, session.ErrNone) {
			t.Errorf("renew with the store back: %v, want ErrNone", err)
		}
	})
}

// The late answer of another process may still put it right.
func TestGrantInDoubtLeavesTheSessionToItsExpiry(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.op.policy.Wide = true
		r := h.signIn()
		time.Sleep(9 * time.Hour)
		h.op.refuse = &providers.Error{Kind: providers.Unknown}
		h.Renew(t.Context(), h.load(r))
		time.Sleep(time.Minute)
		_, err := h.Renew(t.Context(), h.load(r))
		if !errors.Is(err, session.ErrNone) || !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("renew: %v, want ErrNone by ErrReauthRequired", err)
		}
		h.load(r)
	})
}

func TestRenewalThatTakesPastTheAbsoluteEndIsNone(t *testing.T) {
	story(t, func(c *session.Config) { c.AbsoluteLifetime = 9 * time.Hour }, func(t *testing.T, h *house) {
		r := h.signIn()
		time.Sleep(9*time.Hour - 5*time.Second)
		h.op.takes = 10 * time.Second
		if _, err := h.Renew(t.Context(), h.load(r)); !errors.Is(err, session.ErrNone) {
			t.Errorf("renew: %v, want ErrNone", err)
		}
	})
}

func TestSessionWithoutRefreshTokenIsNotRenewed(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		login := h.login()
		login.Tokens.RefreshToken = providers.Secret{}
		w := httptest.NewRecorder()
		if _, err := h.Start(w, request(), login, ""); err != nil {
			t.Fatal(err)
		}
		r := request("__Host-easyauth=" + w.Result().Cookies()[0].Value)
		if _, err := h.Refresh(t.Context(), h.load(r)); !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("refresh: %v, want ErrNoRefreshToken", err)
		}
		time.Sleep(8 * time.Hour)
		_, err := h.Renew(t.Context(), h.load(r))
		if !errors.Is(err, session.ErrNone) || !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("renew: %v, want ErrNone by ErrNoRefreshToken", err)
		}
	})
}

func TestRefreshGivesTokensAndAnotherEightHours(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		time.Sleep(7 * time.Hour)
		if _, err := h.Refresh(t.Context(), h.load(r)); err != nil {
			t.Fatal(err)
		}
		s := h.load(r)
		if time.Until(s.ExpiresAt) != 8*time.Hour {
			t.Errorf("expires in %v", time.Until(s.ExpiresAt))
		}
		if token, _ := s.Token(t.Context()); token.AccessToken != "access-1" {
			t.Errorf("token %v", token)
		}
	})
}

// SES7, R10: what a revoked grant does to the session is a policy.
func TestRevokedGrant(t *testing.T) {
	t.Run("takes the tokens and leaves the session to its expiry", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			r := h.signIn()
			time.Sleep(2 * time.Hour)
			h.op.refuse = revoked
			s := h.load(r)
			if err := h.KeepFresh(t.Context(), s); err != nil {
				t.Errorf("KeepFresh: %v", err)
			}
			if _, err := h.Refresh(t.Context(), h.load(r)); !errors.Is(err, grant.ErrReauthRequired) {
				t.Errorf("refresh: %v, want ErrReauthRequired", err)
			}
			if _, err := h.load(r).Token(t.Context()); !errors.Is(err, grant.ErrReauthRequired) {
				t.Errorf("token: %v, want ErrReauthRequired", err)
			}
			if h.op.calls != 1 {
				t.Errorf("%d calls", h.op.calls)
			}
		})
	})
	t.Run("ends the session in the request that meets it, with EndOnRevoke", func(t *testing.T) {
		story(t, func(c *session.Config) { c.EndOnRevoke = true }, func(t *testing.T, h *house) {
			r := h.signIn()
			time.Sleep(2 * time.Hour)
			h.op.refuse = revoked
			if err := h.KeepFresh(t.Context(), h.load(r)); !errors.Is(err, session.ErrNone) {
				t.Errorf("KeepFresh: %v, want ErrNone", err)
			}
			h.wantNone(r)
			if !slices.Contains(h.said, "ended revoked") || h.rows.Len() != 0 {
				t.Errorf("hooks said %v, %d rows", h.said, h.rows.Len())
			}
		})
	})
	t.Run("is not what a lost answer says, even with EndOnRevoke", func(t *testing.T) {
		story(t, func(c *session.Config) { c.EndOnRevoke = true }, func(t *testing.T, h *house) {
			h.op.policy.Wide = true // no second try: the user has to sign in for a token
			r := h.signIn()
			time.Sleep(2 * time.Hour)
			h.op.refuse = &providers.Error{Kind: providers.Unknown}
			for range 2 {
				if err := h.KeepFresh(t.Context(), h.load(r)); err != nil {
					t.Errorf("KeepFresh: %v", err)
				}
				time.Sleep(time.Minute)
			}
			if _, err := h.load(r).Token(t.Context()); !errors.Is(err, grant.ErrReauthRequired) {
				t.Errorf("token: %v, want ErrReauthRequired", err)
			}
		})
	})
}

// SES6: the absolute end and the idle end, whatever else happens.
func TestCeilings(t *testing.T) {
	t.Run("absolute end under constant traffic and renewal", func(t *testing.T) {
		story(t, func(c *session.Config) { c.AbsoluteLifetime = 24 * time.Hour }, func(t *testing.T, h *house) {
			r := h.signIn()
			for time.Since(start) < 24*time.Hour-time.Minute {
				time.Sleep(30 * time.Minute)
				if time.Since(start) >= 24*time.Hour {
					break
				}
				s, err := h.Refresh(t.Context(), h.load(r))
				if err != nil {
					t.Fatal(err)
				}
				if s.ExpiresAt.After(start.Add(24*time.Hour)) || s.GraceUntil.After(start.Add(24*time.Hour)) {
					t.Fatalf("expires %v, grace until %v", s.ExpiresAt, s.GraceUntil)
				}
			}
			h.wantNone(r)
		})
	})
	t.Run("idle end", func(t *testing.T) {
		story(t, func(c *session.Config) { c.IdleTimeout = 20 * time.Minute }, func(t *testing.T, h *house) {
			r := h.signIn()
			for range 20 {
				time.Sleep(15 * time.Minute)
				h.Touch(t.Context(), h.load(r))
			}
			h.count.Reset()
			for range 59 { // A16: looking does not keep alive, and does not write
				time.Sleep(time.Second)
				h.Touch(t.Context(), h.load(r))
			}
			if n := h.count.Counts().Saves; n != 0 {
				t.Errorf("%d writes within a minute", n)
			}
			time.Sleep(19*time.Minute + time.Second)
			h.wantNone(r)
		})
	})
	t.Run("no grace period", func(t *testing.T) {
		story(t, func(c *session.Config) { c.Grace = -1 }, func(t *testing.T, h *house) {
			r := h.signIn()
			time.Sleep(8 * time.Hour)
			h.wantNone(r)
		})
	})
}

func TestEndIsForEverywhereAndForGood(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		slow := h.load(r) // a request in flight
		if err := h.End(t.Context(), h.load(r)); err != nil {
			t.Fatal(err)
		}
		h.wantNone(r) // SES3
		if h.rows.Len() != 0 || !slices.Equal(h.op.revoked, []string{"refresh-0"}) || !slices.Contains(h.said, "ended logout") {
			t.Errorf("%d rows, revoked %v, hooks said %v", h.rows.Len(), h.op.revoked, h.said)
		}
		// SES4: whatever the slow request still does, nothing comes back.
		h.Touch(t.Context(), slow)
		h.Refresh(t.Context(), slow)
		h.Renew(t.Context(), slow)
		if h.rows.Len() != 0 {
			t.Errorf("%d rows after the slow request", h.rows.Len())
		}
		h.wantNone(r)
	})
}

func TestSES5EndWithoutAStoreIsNotAnEnd(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		s := h.load(r)
		h.fault.RefuseWrites(errors.New("read-only"))
		if err := h.End(t.Context(), s); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("end: %v, want ErrUnavailable", err)
		}
		h.fault.Heal()
		h.load(r)
		if len(h.op.revoked) != 0 {
			t.Error("a refresh token was revoked")
		}
	})
}

func TestSES8ClaimsOfARefreshedIDTokenCountFromTheNextRequest(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.op.userInfo = claims(t, `{"sub":"alice","locale":"de"}`)
		r := h.signIn()
		time.Sleep(2 * time.Hour)
		h.op.claims = claims(t, `{"iss":"https://op.example","sub":"alice","iat":7,"name":"Alice B.","groups":["b"]}`)
		if _, err := h.load(r).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		u := h.load(r).User
		if u.Name != "Alice B." || !slices.Equal(u.Claims.Strings("groups"), []string{"b"}) || u.Claims.String("locale") != "de" || u.Email != "" {
			t.Errorf("user %+v", u)
		}
		// The same claims in another token are no reason to write.
		h.op.claims = claims(t, `{"iss":"https://op.example","sub":"alice","iat":8,"name":"Alice B.","groups":["b"]}`)
		time.Sleep(2 * time.Hour)
		h.count.Reset()
		if _, err := h.load(r).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.count.Counts().Saves; n != 2 { // begin and commit of the grant
			t.Errorf("%d writes, want 2", n)
		}
	})
}

func TestIdentityThatChangesEndsTheSession(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		time.Sleep(2 * time.Hour)
		h.op.verify = &providers.Error{Kind: providers.Mismatch}
		if _, err := h.load(r).Token(t.Context()); !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("token: %v, want ErrReauthRequired", err)
		}
		h.wantNone(r)
		if h.rows.Len() != 0 || !slices.Contains(h.said, "ended identity_mismatch") {
			t.Errorf("%d rows, hooks said %v", h.rows.Len(), h.said)
		}
	})
}

func TestHookThatPanicsCostsNothing(t *testing.T) {
	story(t, func(c *session.Config) {
		c.Hooks.Started = func(context.Context, session.Event) { panic("a defect of the application") }
	}, func(t *testing.T, h *house) { h.load(h.signIn()) })
}
