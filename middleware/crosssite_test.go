package middleware_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// Contract 1.12, CSR2, CSR10: the application's own routes.
func TestCSR10RequestsThatOtherSitesCause(t *testing.T) {
	trusting := func(m *middleware.Config, _ *session.Config) { m.TrustedOrigins = []string{"https://partner.example"} }
	for _, tt := range []struct {
		name    string
		method  string
		headers []string
		passes  bool
	}{
		{"our page", "POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://app.example"}, true},
		{"our page, Host changed by a proxy, an older browser", "POST", []string{"Origin", "https://app.example", "Host", "internal:8080"}, true},
		{"address bar", "POST", []string{"Sec-Fetch-Site", "none"}, true},
		{"docs#104705 a program with no header at all", "POST", nil, true},
		{"docs#104705 a program that calls itself a browser", "POST", []string{"User-Agent", "Mozilla/5.0"}, true},
		{"docs#104705 a browser without Referer", "POST", []string{"Sec-Fetch-Site", "same-origin", "User-Agent", "Mozilla/5.0"}, true},
		{"an allowed origin", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://partner.example"}, true},
		{"another site reads", "GET", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, true},
		{"a WebSocket of ours", "GET", []string{"Upgrade", "websocket", "Origin", "https://app.example"}, true},
		{"a WebSocket of an allowed origin", "GET", []string{"Upgrade", "websocket", "Origin", "https://partner.example"}, true},
		{"a WebSocket of a program", "GET", []string{"Upgrade", "websocket"}, true},

		{"a WebSocket of another site", "GET", []string{"Upgrade", "websocket", "Origin", "https://evil.example"}, false},
		{"CSR2 a WebSocket of a sibling", "GET", []string{"Upgrade", "websocket", "Sec-Fetch-Site", "same-site", "Origin", "https://other.app.example"}, false},
		{"another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"CSR2 a sibling", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://other.app.example"}, false},
		{"CSR2 Origin null", "POST", []string{"Origin", "null"}, false},
		{"an older browser", "POST", []string{"Origin", "https://evil.example"}, false},
		{"CSR9 an allowed origin as a prefix", "POST", []string{"Origin", "https://partner.example.evil.example"}, false},
		{"CSR9 an allowed origin by http", "POST", []string{"Origin", "http://partner.example"}, false},
		{"with a Referer of ours", "POST", []string{"Origin", "https://evil.example", "Referer", "https://app.example/"}, false},
		{"another method", "DELETE", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"another method", "PUT", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a curl that another site causes", "POST", []string{"Sec-Fetch-Site", "cross-site", "User-Agent", "curl/8"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t, withTokens, trusting, gated(middleware.Gate{}))
			b := newApp(t, withTokens, trusting) // no gate: the guards see to it
			ask := func(a *app, through func(http.Handler) http.Handler, change func(r *http.Request)) (string, bool) {
				r := request(tt.method, "/save")
				for i := 0; i < len(tt.headers); i += 2 {
					if r.Header.Set(tt.headers[i], tt.headers[i+1]); tt.headers[i] == "Host" {
						r.Host = tt.headers[i+1]
					}
				}
				change(r)
				rec, seen := visit(through, r)
				return reason(rec), seen != nil
			}
			cookie := func(a *app) func(*http.Request) {
				c := a.signIn(t)
				return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) }
			}
			everybody := b.Allow(func(*session.Session) bool { return true })
			for where, got := range map[string]func() (string, bool){
				"behind the gate": func() (string, bool) { return ask(a, a.Authenticate, cookie(a)) },
				"Require":         func() (string, bool) { return ask(b, b.Require, cookie(b)) },
				"RequireToken":    func() (string, bool) { return ask(b, b.RequireToken, cookie(b)) },
				"Allow":           func() (string, bool) { return ask(b, everybody, cookie(b)) },
				"inside Authenticate": func() (string, bool) {
					return ask(b, func(h http.Handler) http.Handler { return b.Authenticate(b.Require(h)) }, cookie(b))
				},
			} {
				if why, passes := got(); passes != tt.passes || !passes && why != "cross_site" {
					t.Errorf("%s: passes %v, %s", where, passes, why)
				}
			}
			// Only the cookie is sent whoever asks for it.
			for name, change := range map[string]func(*http.Request){
				"a session token": func(r *http.Request) { r.Header.Set("X-ZUMO-AUTH", a.token(t)) },
				"an access token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer robot") },
				"a stranger":      func(*http.Request) {},
			} {
				if why, passes := ask(a, a.Authenticate, change); !passes {
					t.Errorf("%s is refused: %s", name, why)
				}
			}
		})
	}
}

// A token that does not count leaves the cookie to be judged.
func TestCSR10HeaderThatIsNotReadIsNoExemption(t *testing.T) {
	a := newApp(t, gated(middleware.Gate{})) // no signing keys, no bearer providers
	for name, value := range map[string]string{"X-ZUMO-AUTH": "x.y.z", "Authorization": "Bearer robot"} {
		r := with(with(request("POST", "/save", a.signIn(t)), name, value), "Sec-Fetch-Site", "cross-site")
		if rec, seen := visit(a.Authenticate, r); seen != nil || reason(rec) != "cross_site" {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
}

func TestTrustedOriginsThatAreRefused(t *testing.T) {
	m, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	base, _ := url.Parse("https://app.example")
	for _, origin := range []string{"partner.example", "https://partner.example/path", "null", "*", ""} {
		g, err := middleware.New(middleware.Config{Sessions: m, BaseURL: base, TrustedOrigins: []string{origin}})
		if g != nil || err == nil || !strings.Contains(err.Error(), "TrustedOrigins") {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// Contract 1.11 and 6: pages of allowed origins call with a token that a preflight
// never carries. The preflight is not the application's to answer: as a stranger's
// it would open every handler that does not look at the method (CSR6).
func TestContract111PreflightOfAnAllowedOriginIsAnsweredAtTheDoor(t *testing.T) {
	trusting := func(m *middleware.Config, _ *session.Config) { m.TrustedOrigins = []string{"https://partner.example"} }
	closed := newApp(t, trusting, gated(middleware.Gate{Unauthenticated: middleware.Return401}))
	open := newApp(t, trusting)
	for door, through := range map[string]func(http.Handler) http.Handler{"the gate": closed.Authenticate, "Require": open.Require} {
		ask := func(method, origin string, more ...string) (*http.Response, bool) {
			r := request(method, "/api")
			r.Header.Set("Origin", origin)
			for i := 0; i < len(more); i += 2 {
				r.Header.Set(more[i], more[i+1])
			}
			rec, seen := visit(through, r)
			return rec.Result(), seen != nil
		}
		preflight := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-zumo-auth"}
		res, passed := ask("OPTIONS", "https://partner.example", preflight...)
		if passed || res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "https://partner.example" ||
			res.Header.Get("Access-Control-Allow-Methods") != "PUT" || res.Header.Get("Access-Control-Allow-Headers") != "x-zumo-auth" ||
			res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s, preflight: passed %v, status %d, %v", door, passed, res.StatusCode, res.Header)
		}
		if res, passed := ask("PUT", "https://partner.example"); passed || res.StatusCode != http.StatusUnauthorized ||
			res.Header.Get("Access-Control-Allow-Origin") != "https://partner.example" {
			t.Errorf("%s, no token: passed %v, status %d, %v", door, passed, res.StatusCode, res.Header)
		}
		for _, origin := range []string{"https://evil.example", "null", "https://partner.example.evil.example", "http://partner.example"} {
			if res, passed := ask("OPTIONS", origin, preflight...); passed || res.StatusCode != http.StatusUnauthorized ||
				res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s, preflight of %s: passed %v, status %d, %v", door, origin, passed, res.StatusCode, res.Header)
			}
		}
		if res, passed := ask("OPTIONS", "https://partner.example"); passed || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s, OPTIONS that is no preflight: passed %v, status %d", door, passed, res.StatusCode)
		}
	}
}
