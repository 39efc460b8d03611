package middleware_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// dying is a login whose refresh token dies in an hour.
func dying(l *providers.Login) { l.Tokens.RefreshExpiresIn = time.Hour }

func noticed(_ *middleware.Config, s *session.Config) { s.ReauthNotice = 2 * time.Hour }

const diesOn = "2000-01-01T01:00:00.0000000Z"

// Issue point 10: the refresh-token cliff.
func TestPageIsSentRoundByTheProviderOnceInTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, noticed)
		cookie := a.signIn(t, dying)
		rec, seen := visit(a.Authenticate, page("/account?tab=1", cookie))
		if seen != nil || rec.Code != 302 || rec.Header().Get("Location") != "/.auth/login/google?post_login_redirect_uri=%2Faccount%3Ftab%3D1&prompt=none" {
			t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
		}
		want := "__Host-easyauth-reauth=1; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax" // COO1
		if got := rec.Header()["Set-Cookie"]; len(got) != 1 || got[0] != want {
			t.Errorf("cookie %v, want %s", got, want)
		}
		mark := rec.Result().Cookies()[0]

		// The browser is back, whatever came of it: it sees its page, and is told.
		rec, seen = visit(a.Authenticate, page("/account?tab=1", cookie, mark))
		if seen == nil || rec.Header().Get("X-MS-REAUTH-ON") != diesOn || len(rec.Result().Cookies()) > 0 {
			t.Errorf("%d, %v", rec.Code, rec.Header())
		}
		// Ten minutes later the browser has dropped the mark.
		if rec, _ = visit(a.Authenticate, page("/", cookie)); rec.Code != 302 {
			t.Errorf("%d", rec.Code)
		}
	})
}

func TestWhoIsOnlyToldOfTheCliff(t *testing.T) {
	for _, tt := range []struct {
		name    string
		r       func(a *app, cookie *http.Cookie) *http.Request
		options []func(*middleware.Config, *session.Config)
	}{
		{"a script", func(_ *app, c *http.Cookie) *http.Request { return request("GET", "/api", c) }, nil},
		{"a form", func(_ *app, c *http.Cookie) *http.Request {
			r := page("/save", c)
			r.Method = "POST"
			return r
		}, nil},
		{"HEAD", func(_ *app, c *http.Cookie) *http.Request {
			r := page("/", c)
			r.Method = "HEAD"
			return r
		}, nil},
		{"a prefetch", func(_ *app, c *http.Cookie) *http.Request { return with(page("/", c), "Sec-Purpose", "prefetch") }, nil},
		{"RED5 a page at an address that the login would not take", func(_ *app, c *http.Cookie) *http.Request { return page("//evil.example/", c) }, nil},
		{"a page by session token", func(a *app, c *http.Cookie) *http.Request {
			s, err := a.sessions.Load(request("GET", "/", c))
			if err != nil {
				panic(err)
			}
			token, err := a.sessions.SessionToken(s)
			if err != nil {
				panic(err)
			}
			return with(page("/"), "X-ZUMO-AUTH", token.Reveal())
		}, nil},
		{"a page, where it is switched off", func(_ *app, c *http.Cookie) *http.Request { return page("/", c) },
			[]func(*middleware.Config, *session.Config){func(m *middleware.Config, _ *session.Config) { m.NoSilentReauth = true }}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, append(tt.options, noticed, withTokens)...)
				rec, seen := visit(a.Authenticate, tt.r(a, a.signIn(t, dying)))
				if seen == nil || rec.Header().Get("X-MS-REAUTH-ON") != diesOn || len(rec.Result().Cookies()) > 0 {
					t.Errorf("%d, %v", rec.Code, rec.Header())
				}
			})
		})
	}
}

func TestNobodyIsToldOfACliffThatIsFarAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, noticed)
		for name, change := range map[string]func(*providers.Login){
			"far away":         func(l *providers.Login) { l.Tokens.RefreshExpiresIn = 3 * time.Hour },
			"not known":        func(*providers.Login) {},
			"no refresh token": func(l *providers.Login) { l.Tokens.RefreshToken = providers.Secret{} },
		} {
			rec, seen := visit(a.Authenticate, page("/", a.signIn(t, change)))
			if seen == nil || rec.Header().Get("X-MS-REAUTH-ON") != "" {
				t.Errorf("%s: %d, %v", name, rec.Code, rec.Header())
			}
		}
		// A provider that would have to show something is not asked behind the user's back.
		cookie := a.signIn(t, dying, func(l *providers.Login) { l.Provider = "plain" })
		if _, seen := visit(a.Authenticate, page("/", cookie)); seen == nil {
			t.Error("sent to a provider that cannot be silent")
		}
		cookie, a.idp.asks = a.signIn(t, dying), true
		if _, seen := visit(a.Authenticate, page("/", cookie)); seen == nil {
			t.Error("sent to a provider that shows its page whatever it is asked")
		}
	})
}
