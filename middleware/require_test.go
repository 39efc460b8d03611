package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func TestRequireLetsASignedInUserPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.counts.Reset()
		for name, through := range map[string]func(http.Handler) http.Handler{
			"alone":               a.Require,
			"inside Authenticate": func(h http.Handler) http.Handler { return a.Authenticate(a.Require(h)) },
		} {
			if _, seen := visit(through, page("/account", cookie)); seen == nil || user(seen) != "user-1" {
				t.Errorf("%s: the handler does not see the user", name)
			}
			if got := a.counts.Reset().Loads; got != 1 {
				t.Errorf("%s: %d reads, want 1", name, got)
			}
		}
	})
}

func TestRequireToken(t *testing.T) {
	tests := []struct {
		name     string
		tokens   func(*providers.Tokens)
		idp      func(*idp)
		status   int    // of an API call; 200: the handler ran
		reason   string // of the problem
		retry    string
		location string // of a page
	}{
		{"the token was renewed", nil, nil, 200, "", "", ""},
		{"the grant is revoked", nil, func(p *idp) { p.fail(providers.Revoked, 0) }, 401, "reauth_required", "",
			"/.auth/login/google?post_login_redirect_uri=%2Faccount"},
		{"the provider wants to see the user", nil, func(p *idp) { p.fail(providers.Interaction, 0) }, 401, "reauth_required", "",
			"/.auth/login/google?post_login_redirect_uri=%2Faccount"},
		{"there is no refresh token", func(t *providers.Tokens) { t.RefreshToken = providers.Secret{} }, nil, 401, "reauth_required", "",
			"/.auth/login/google?post_login_redirect_uri=%2Faccount"},
		{"the provider has no refresh", func(t *providers.Tokens) {}, func(p *idp) { p.name = "plain" }, 401, "reauth_required", "",
			"/.auth/login/plain?post_login_redirect_uri=%2Faccount"},
		{"the provider is busy", nil, func(p *idp) { p.fail(providers.Busy, 30*time.Second) }, 503, "provider_unavailable", "30", ""},
		{"the answer was lost", nil, func(p *idp) { p.fail(providers.Unknown, 0) }, 503, "provider_unavailable", "", ""},
		{"the provider rejects the application", nil, func(p *idp) { p.fail(providers.Misconfigured, 0) }, 502, "provider_misconfigured", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t)
				if tt.idp != nil {
					tt.idp(a.idp)
				}
				cookie := a.signIn(t, func(l *providers.Login) {
					if tt.tokens != nil {
						tt.tokens(&l.Tokens)
					}
				})
				time.Sleep(2 * time.Hour)

				rec, seen := visit(a.RequireToken, request("GET", "/account", cookie))
				if rec.Code != tt.status || reason(rec) != tt.reason || (seen != nil) != (tt.status == 200) {
					t.Errorf("API: status %d, reason %q, handler ran: %v; want %d %q", rec.Code, reason(rec), seen != nil, tt.status, tt.reason)
				}
				if got := rec.Header().Get("Retry-After"); tt.retry != "" && got != tt.retry || (got != "") != (tt.status == 503) {
					t.Errorf("API: Retry-After %q, want %q", got, tt.retry)
				}
				if got := rec.Header().Get("WWW-Authenticate"); (got == appServiceChallenge) != (tt.status == 401) {
					t.Errorf("API: WWW-Authenticate %q", got)
				}
				rec, _ = visit(a.RequireToken, page("/account", cookie))
				if got := rec.Header().Get("Location"); got != tt.location {
					t.Errorf("page: Location %q, want %q", got, tt.location)
				}

				// The session itself is alive all the while.
				if _, seen := visit(a.Require, page("/account", cookie)); seen == nil {
					t.Error("a route that needs no token is closed as well")
				}
			})
		})
	}
}

func TestRequireTokenServesATokenThatIsStillGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.idp.fail(providers.Busy, 0)
		time.Sleep(59*time.Minute + 45*time.Second)
		if rec, seen := visit(a.RequireToken, request("GET", "/", cookie)); seen == nil {
			t.Errorf("status %d %s", rec.Code, rec.Body)
		}
	})
}

func TestASessionThatEndsWhileItsTokenIsRenewedIsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(_ *middleware.Config, c *session.Config) { c.EndOnRevoke = true })
		cookie := a.signIn(t)
		a.idp.fail(providers.Revoked, 0)
		time.Sleep(2 * time.Hour)
		rec, seen := visit(a.RequireToken, request("GET", "/", cookie))
		if rec.Code != 401 || reason(rec) != "sign_in_required" || seen != nil {
			t.Errorf("status %d, reason %q", rec.Code, reason(rec))
		}
	})
}

func TestASessionThatEndsElsewhereMeanwhileIsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *middleware.Config, _ *session.Config) { c.LazyTokens = true })
		cookie := a.signIn(t)
		time.Sleep(2 * time.Hour)
		signsOut := func(h http.Handler) http.Handler {
			return a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, _ := session.FromContext(r.Context())
				if err := a.sessions.End(r.Context(), s); err != nil {
					t.Fatal(err)
				}
				a.RequireToken(h).ServeHTTP(w, r)
			}))
		}
		rec, seen := visit(signsOut, request("GET", "/", cookie))
		if rec.Code != 401 || reason(rec) != "sign_in_required" || seen != nil {
			t.Errorf("status %d, reason %q", rec.Code, reason(rec))
		}
	})
}

func TestRequireRecentLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		guard := a.RequireRecentLogin(5 * time.Minute)
		time.Sleep(5 * time.Minute)
		if _, seen := visit(guard, page("/delete", cookie)); seen == nil {
			t.Error("a sign-in of just five minutes ago is refused")
		}
		time.Sleep(time.Second)
		rec, seen := visit(guard, page("/delete?id=1", cookie))
		if got, want := rec.Header().Get("Location"), "/.auth/login/google?max_age=300&post_login_redirect_uri=%2Fdelete%3Fid%3D1"; got != want || seen != nil {
			t.Errorf("Location %s, want %s", got, want)
		}
		rec, _ = visit(guard, request("POST", "/delete", cookie))
		if rec.Code != 401 || reason(rec) != "recent_login_required" ||
			!strings.Contains(rec.Body.String(), `"login_url":"https://app.example/.auth/login/google?max_age=300"`) {
			t.Errorf("API: status %d, body %s", rec.Code, rec.Body)
		}
		if got, want := rec.Header().Get("WWW-Authenticate"), `Bearer realm="app.example", error="insufficient_user_authentication", max_age="300"`; got != want {
			t.Errorf("WWW-Authenticate %s, want %s", got, want)
		}
		if rec, _ := visit(guard, request("GET", "/delete")); reason(rec) != "sign_in_required" || rec.Header().Get("WWW-Authenticate") != appServiceChallenge {
			t.Errorf("a stranger: reason %q", reason(rec))
		}
	})
}

// A user who comes straight back from the provider passes even if the guard
// asks for no age at all: otherwise they would go round for ever.
func TestRequireRecentLoginDoesNotLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(30 * time.Second)
		if _, seen := visit(a.RequireRecentLogin(0), page("/", cookie)); seen == nil {
			t.Error("a sign-in of half a minute ago is refused")
		}
		time.Sleep(31 * time.Second)
		if rec, seen := visit(a.RequireRecentLogin(0), page("/", cookie)); seen != nil || !strings.Contains(rec.Header().Get("Location"), "max_age=60") {
			t.Errorf("Location %q", rec.Header().Get("Location"))
		}
	})
}

func TestAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		for id, status := range map[string]int{"user-1": 200, "user-2": 403} {
			guard := a.Allow(func(s *session.Session) bool { return s.User.ID == id })
			rec, _ := visit(guard, request("GET", "/", cookie))
			if rec.Code != status || status == 403 && reason(rec) != "forbidden" {
				t.Errorf("%s alone: status %d, reason %q, want %d", id, rec.Code, reason(rec), status)
			}
			if rec, _ = visit(guard, request("GET", "/")); rec.Code != 401 {
				t.Errorf("a stranger got %d", rec.Code)
			}
			rec, _ = visit(guard, page("/", cookie))
			if rec.Code != status || status == 403 && !strings.Contains(rec.Body.String(), "<h1>Not allowed</h1>") {
				t.Errorf("page: status %d", rec.Code)
			}
		}
	})
}

// A guard around the login would redirect to itself for ever, and one around an
// application without the routes would let strangers see what it serves there.
func TestAGuardIsNotForTheRoutesUnderThePrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		for _, target := range []string{"/.auth/login", "/.auth/me", "/.AUTH/me", "/.auth%2fme"} {
			for _, r := range []*http.Request{page(target), page(target, cookie)} {
				if rec, seen := visit(a.Require, r); rec.Code != 404 || seen != nil {
					t.Errorf("%s: status %d, handler ran: %v", target, rec.Code, seen != nil)
				}
			}
		}
	})
}

func TestGuardsTakeASessionMadeByHand(t *testing.T) {
	a := newApp(t)
	r := request("GET", "/")
	r = r.WithContext(session.NewContext(r.Context(), &session.Session{User: session.User{ID: "by-hand"}}))
	if _, seen := visit(a.Require, r); seen == nil || user(seen) != "by-hand" {
		t.Error("a test of a handler cannot hand in a session")
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := middleware.New(middleware.Config{Prefix: "auth/", BaseURL: &url.URL{Path: "/x"}})
	for _, want := range []string{"authpath: prefix refused", "middleware: Sessions is missing", "middleware: BaseURL is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v; want %q in it", err, want)
		}
	}
}

func TestAnotherPrefix(t *testing.T) {
	a := newApp(t, func(c *middleware.Config, _ *session.Config) { c.Prefix = "/account/auth" })
	rec := httptest.NewRecorder()
	a.Require(http.NotFoundHandler()).ServeHTTP(rec, page("/x"))
	if got, want := rec.Header().Get("Location"), "/account/auth/login?post_login_redirect_uri=%2Fx"; got != want {
		t.Errorf("Location %s, want %s", got, want)
	}
}
