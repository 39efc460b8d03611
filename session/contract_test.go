package session_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// Contract 3.3: without the token store people are signed in, and that is all.
func TestDiscardedTokensAreNowhere(t *testing.T) {
	story(t, func(c *session.Config) { c.DiscardTokens = true }, func(t *testing.T, h *house) {
		r := h.signIn()
		s := h.load(r)
		if s.User.Name != "Alice" || s.State() != session.Active {
			t.Errorf("%v, %v", s.User, s.State())
		}
		got, err := s.Tokens(t.Context())
		if err != nil || !got.AccessToken.IsZero() || !got.RefreshToken.IsZero() || !got.IDToken.IsZero() {
			t.Errorf("tokens %+v, %v", got, err)
		}
		if _, err := s.Token(t.Context()); !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("token: %v", err)
		}
		if _, err := h.Refresh(t.Context(), s); !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("refresh: %v", err)
		}
		if err := h.KeepFresh(t.Context(), s); err != nil {
			t.Errorf("a request: %v", err)
		}
		time.Sleep(8 * time.Hour)
		if _, err := h.Renew(t.Context(), h.load(r)); !errors.Is(err, session.ErrNone) {
			t.Errorf("renewal: %v", err)
		}
		if h.op.calls > 0 || len(h.op.revoked) > 0 {
			t.Errorf("the provider was asked")
		}
	})
}

// Contract 3.1, cookieExpiration.convention IdentityProviderDerived.
func TestLifetimeFromProvider(t *testing.T) {
	in := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for _, tt := range []struct {
		name    string
		idToken int64         // its exp; 0: none
		access  time.Duration // 0: not told
		lasts   time.Duration
	}{
		{"as long as the ID token", in(2 * time.Hour), time.Hour, 2 * time.Hour},
		{"as long as the access token, where there is no ID token", 0, 60 * 24 * time.Hour, 60 * 24 * time.Hour},
		{"as usual, where neither is told", 0, 0, 8 * time.Hour},
		{"azure-mobile-apps#44 ID token that is over", in(-30 * time.Second), time.Hour, time.Hour},
		{"azure-mobile-apps#44 nothing that is of use", in(-30 * time.Second), 0, 8 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(c *session.Config) { signing(key32)(c); c.LifetimeFromProvider = true }, func(t *testing.T, h *house) {
				login := h.login()
				if tt.idToken != 0 {
					login.Identity.Claims = claims(t, `{"sub":"alice","exp":`+strconv.FormatInt(tt.idToken, 10)+`}`)
				}
				login.Tokens.ExpiresIn = tt.access
				s, err := h.StartToken(t.Context(), login)
				if err != nil {
					t.Fatal(err)
				}
				if got := s.ExpiresAt.Sub(start); got != tt.lasts {
					t.Errorf("lasts %v, want %v", got, tt.lasts)
				}
				if s := h.load(program(h.tokenOf(s))); s.State() != session.Active {
					t.Errorf("its token is %v at once", s.State())
				}
			})
		})
	}
}

func TestRenewalLastsAsLongAsItsAccessTokenAndTakesNothingAway(t *testing.T) {
	derived := func(c *session.Config) { c.LifetimeFromProvider = true }
	story(t, derived, func(t *testing.T, h *house) {
		r := h.signIn() // for an hour
		time.Sleep(90 * time.Minute)
		s, err := h.Renew(t.Context(), h.load(r))
		if err != nil || time.Until(s.ExpiresAt) != time.Hour {
			t.Errorf("renewed for %v, %v", time.Until(s.ExpiresAt), err)
		}
	})
	story(t, derived, func(t *testing.T, h *house) {
		login := h.login()
		login.Identity.Claims = claims(t, `{"sub":"alice","exp":`+strconv.FormatInt(start.Add(24*time.Hour).Unix(), 10)+`}`)
		s, err := h.StartToken(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		if s, err = h.Open(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		if s, err = h.Refresh(t.Context(), s); err != nil || time.Until(s.ExpiresAt) != 24*time.Hour {
			t.Errorf("refreshed, it lasts %v, %v", time.Until(s.ExpiresAt), err)
		}
	})
}

// Contract 1.8, net-server#126: a refresh token comes with the first consent, and
// not with the sign-ins after it.
func TestNextSignInOfTheSameUserKeepsTheRefreshToken(t *testing.T) {
	again := func(h *house, login *providers.Login, cookie string) *session.Session {
		h.t.Helper()
		h.said = nil
		login.Tokens.RefreshToken = providers.Secret{}
		s, err := h.Start(httptest.NewRecorder(), request(cookie), login, "")
		if err != nil {
			h.t.Fatal(err)
		}
		return s
	}
	held := func(h *house, s *session.Session) string {
		h.t.Helper()
		opened, err := h.Open(h.t.Context(), s.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		got, err := opened.Tokens(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		return got.RefreshToken.Reveal()
	}
	for _, tt := range []struct {
		name    string
		by      func(h *house) *providers.Login
		held    string
		revoked []string
	}{
		{"the same user", (*house).login, "refresh-0", nil},
		{"somebody else", func(h *house) *providers.Login { return h.loginAs("bob", "one") }, "", []string{"refresh-0"}},
		{"a namesake at another issuer", func(h *house) *providers.Login {
			login := h.login()
			login.Identity.Issuer = "https://other.example"
			return login
		}, "", []string{"refresh-0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				before := h.signIn()
				s := again(h, tt.by(h), before.Header.Get("Cookie"))
				if got := held(h, s); got != tt.held || !slices.Equal(h.op.revoked, tt.revoked) {
					t.Errorf("holds %q, revoked %v; want %q, %v", got, h.op.revoked, tt.held, tt.revoked)
				}
				h.wantNone(before)
				if !slices.Equal(h.said, []string{"ended replaced", "started"}) {
					t.Errorf("hooks said %v", h.said)
				}
			})
		})
	}
	t.Run("not without its browser", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			before := h.signIn()
			if got := held(h, again(h, h.login(), "")); got != "" || h.signedIn(before) != "1" {
				t.Errorf("holds %q of a session elsewhere", got)
			}
		})
	})
}
