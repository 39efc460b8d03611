package middleware_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// withTokens lets requests be signed in by session tokens and by access tokens.
func withTokens(_ *middleware.Config, s *session.Config) {
	s.SigningKeys, s.TokenIssuer = [][]byte{bytes.Repeat([]byte{1}, 32)}, "https://app.example/"
	s.BearerProviders = []string{"google"}
}

// token is the session token of a new session.
func (a *app) token(t testing.TB) string {
	t.Helper()
	cookie := a.signIn(t)
	s, err := a.sessions.Load(request("GET", "/", cookie))
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.sessions.SessionToken(s)
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// with sets a header of r.
func with(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func TestSessionTokenSignsARequestIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withTokens, withHeaders)
		token := a.token(t)
		a.counts.Reset()
		rec, seen := visit(a.Require, with(request("GET", "/api"), "X-ZUMO-AUTH", token))
		if seen == nil || user(seen) != "user-1" {
			t.Fatalf("answer %d", rec.Code)
		}
		if got, want := a.counts.Reset(), (storetest.Counts{Loads: 1, Keys: 2}); got != want {
			t.Errorf("store calls %+v, want %+v", got, want)
		}
		// [SRV], [NODE]: the application's own SDK reads the token again.
		if seen.Header.Get("X-ZUMO-AUTH") != token || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-IDP") != "google" {
			t.Errorf("the application sees %v", seen.Header)
		}

		time.Sleep(9 * time.Hour) // the grace period is for /.auth/refresh
		rec, seen = visit(a.Require, with(request("GET", "/api"), "X-ZUMO-AUTH", token))
		if seen != nil || rec.Code != 401 || reason(rec) != "sign_in_required" || a.idp.calls.Load() != 0 {
			t.Errorf("past its end: %d %s, %d refreshes", rec.Code, reason(rec), a.idp.calls.Load())
		}
		if _, seen = visit(a.Authenticate, with(request("GET", "/"), "X-ZUMO-AUTH", token)); user(seen) != "" {
			t.Error("past its end: not a stranger to an open route")
		}
	})
}

// A renewed session is told by a cookie only where it came by one.
func TestNoCookieForAProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withTokens)
		cookie := a.signIn(t)
		time.Sleep(9 * time.Hour)
		if rec, _ := visit(a.Require, request("GET", "/", cookie)); len(rec.Result().Cookies()) != 1 {
			t.Fatal("a browser's session was not renewed")
		}
		for name, r := range map[string]*http.Request{
			"session token": with(request("GET", "/", cookie), "X-ZUMO-AUTH", a.token(t)),
			"access token":  with(request("GET", "/", cookie), "Authorization", "Bearer robot"),
		} {
			if rec, seen := visit(a.Require, r); seen == nil || len(rec.Result().Cookies()) > 0 {
				t.Errorf("%s: %d, %v", name, rec.Code, rec.Result().Cookies())
			}
		}
	})
}

// Contract 1.11, RFC 6750 section 3.
func TestAccessTokenOfTheProvider(t *testing.T) {
	var log bytes.Buffer
	a := newApp(t, withTokens, withHeaders, logTo(&log))
	_, seen := visit(a.Require, with(request("GET", "/api"), "Authorization", "Bearer robot"))
	if seen == nil || user(seen) != "robot" || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "robot" {
		t.Fatal("a good token is refused, or nobody's")
	}
	for name := range seen.Header {
		if strings.HasPrefix(name, "X-Ms-Token-") {
			t.Errorf("%s is set", name)
		}
	}
	if log.Len() > 0 {
		t.Errorf("that such a request has no other tokens is no news: %s", &log)
	}
	cookie := a.signIn(t)
	for _, tt := range []struct {
		token     string
		status    int
		reason    string
		challenge string
	}{
		{"other", 401, "sign_in_required", `Bearer realm="app.example", error="invalid_token"`},
		{"barred", 403, "forbidden", ""},
		{"down", 503, "store_unavailable", ""},
	} {
		for _, r := range []*http.Request{request("GET", "/api"), page("/account", cookie)} {
			browser := r.Header.Get("Sec-Fetch-Mode") != ""
			rec, seen := visit(a.Require, with(r, "Authorization", "Bearer "+tt.token))
			if seen != nil || rec.Code != tt.status || rec.Header().Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%s: %d, %s", tt.token, rec.Code, rec.Header().Get("WWW-Authenticate"))
			}
			if !browser && reason(rec) != tt.reason {
				t.Errorf("%s: %s", tt.token, reason(rec))
			}
			if _, seen := visit(a.Authenticate, r); seen == nil || user(seen) != "" {
				t.Errorf("%s: an open route is closed, or sees somebody", tt.token)
			}
		}
	}
}

// Contract 2.4: what Twitter and Microsoft's older service give.
func TestTokenHeadersOfOlderProviders(t *testing.T) {
	a := newApp(t, withHeaders)
	_, seen := visit(a.Authenticate, request("GET", "/", a.signIn(t, func(l *providers.Login) {
		l.Tokens = providers.Tokens{AccessToken: providers.NewSecret("at"), AccessTokenSecret: providers.NewSecret("ats"), AuthenticationToken: providers.NewSecret("jwt")}
	})))
	for name, want := range map[string]string{"ACCESS-TOKEN": "at", "ACCESS-TOKEN-SECRET": "ats", "AUTHENTICATION-TOKEN": "jwt"} {
		if got := seen.Header.Get("X-MS-TOKEN-GOOGLE-" + name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"EXPIRES-ON", "ID-TOKEN", "REFRESH-TOKEN"} {
		if got, there := seen.Header[http.CanonicalHeaderKey("X-MS-TOKEN-GOOGLE-"+name)]; there {
			t.Errorf("%s: %q", name, got)
		}
	}
}
