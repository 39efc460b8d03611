package middleware_test

import (
	"context"
	"errors"
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

// appServiceChallenge is WWW-Authenticate as contract.md 1.11 has it.
const appServiceChallenge = `Bearer realm="app.example" authorization_uri="https://app.example/.auth/login"`

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

func TestARequestOfAStranger(t *testing.T) {
	a := newApp(t)
	header := func(r *http.Request, kv ...string) *http.Request {
		for i := 0; i < len(kv); i += 2 {
			r.Header.Set(kv[i], kv[i+1])
		}
		return r
	}
	tests := []struct {
		name   string
		r      *http.Request
		status int
	}{
		{"a page is redirected to the login", page("/account"), 302},
		{"the head of a page too", func() *http.Request { r := page("/account"); r.Method = "HEAD"; return r }(), 302},
		{"C12 fetch gets 401", header(request("GET", "/api"), "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "text/html"), 401},
		{"C13 a form post gets 401", header(request("POST", "/save"), "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"), 401},
		{"a frame gets 401", header(request("GET", "/"), "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"), 401},
		{"an image gets 401", header(request("GET", "/a.png"), "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"), 401},
		{"a prefetch gets 401", header(page("/account"), "Sec-Purpose", "prefetch"), 401},
		{"a WebSocket gets 401", header(request("GET", "/ws"), "Accept", "text/html", "Connection", "Upgrade", "Upgrade", "websocket"), 401},
		{"gRPC gets 401", header(request("POST", "/svc/Call"), "Content-Type", "application/grpc"), 401},
		{"a mobile SDK gets 401", header(request("GET", "/tables/x"), "Accept", "text/html", "X-ZUMO-VERSION", "2"), 401},
		{"a preflight gets 401", header(request("OPTIONS", "/api"), "Origin", "https://spa.example", "Access-Control-Request-Method", "GET"), 401},
		{"curl gets 401", header(request("GET", "/account"), "Accept", "*/*"), 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, seen := visit(a.Require, tt.r)
			if seen != nil {
				t.Fatal("the handler ran")
			}
			if rec.Code != tt.status || rec.Header().Get("Cache-Control") != "no-store" || len(rec.Result().Cookies()) != 0 {
				t.Errorf("status %d, want %d; headers %v", rec.Code, tt.status, rec.Header())
			}
			if tt.status == 302 {
				if got, want := rec.Header().Get("Location"), "/.auth/login?post_login_redirect_uri=%2Faccount"; got != want {
					t.Errorf("Location %s, want %s", got, want)
				}
				return
			}
			if got := rec.Header().Get("WWW-Authenticate"); got != appServiceChallenge {
				t.Errorf("WWW-Authenticate %s", got)
			}
			if rec.Header().Get("Content-Type") != "application/problem+json" || reason(rec) != "sign_in_required" ||
				!strings.Contains(rec.Body.String(), `"login_url":"https://app.example/.auth/login"`) {
				t.Errorf("body %s", rec.Body)
			}
		})
	}
}

func TestTheLoginLeadsBackToTheOwnPathAndQuery(t *testing.T) {
	a := newApp(t)
	for target, want := range map[string]string{
		"/":                               "/",
		"/a/b?c=d&e=%2F":                  "/a/b?c=d&e=%2F",
		"/caf%C3%A9?q=a+b":                "/caf%C3%A9?q=a+b",
		"/a%2Fb":                          "/a%2Fb",
		"/a?post_login_redirect_uri=":     "/a?post_login_redirect_uri=",
		"/x?" + strings.Repeat("y", 2048): "", // R13: the login would not take it
	} {
		rec, _ := visit(a.Require, page(target))
		loc, err := url.Parse(rec.Header().Get("Location"))
		if err != nil || loc.Path != "/.auth/login" {
			t.Fatalf("%s: Location %q, %v", target, rec.Header().Get("Location"), err)
		}
		if got := loc.Query().Get("post_login_redirect_uri"); got != want || len(loc.Query()) > 1 {
			t.Errorf("%s: leads back to %q, want %q", target, got, want)
		}
	}
}

// RED5: a path that a browser would take for another host is no target, and
// the redirect itself stays home whatever the path is.
func TestRED5TheOwnPathDoesNotLeadToAnotherHost(t *testing.T) {
	a := newApp(t)
	home, _ := url.Parse("https://app.example/")
	for _, target := range []string{
		"//evil.example/x", "///evil.example", "//evil.example/%2e%2e", "/%5cevil.example", "/%2fevil.example/x", "/%09/evil.example",
		"http://evil.example/x", "http://evil.example?x=1", "//user@evil.example/", `/\evil.example`, "/%0d%0aLocation:%20https://evil.example",
	} {
		r := page("/")
		r.RequestURI = target
		var err error
		if r.URL, err = url.ParseRequestURI(target); err != nil {
			t.Fatal(err)
		}
		rec, seen := visit(a.Require, r)
		loc, err := home.Parse(rec.Header().Get("Location"))
		if seen != nil || rec.Code != 302 || err != nil || loc.Host != home.Host || loc.Path != "/.auth/login" {
			t.Errorf("%s: status %d to %v, %v", target, rec.Code, loc, err)
			continue
		}
		back := loc.Query().Get("post_login_redirect_uri")
		if strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\t\r\n") || back != "" && back[0] != '/' {
			t.Errorf("%s: leads back to %q", target, back)
		}
	}
}

// HST1-HST3, G34: addresses come from the configuration.
func TestHSTTheRequestDoesNotSayWhoWeAre(t *testing.T) {
	a := newApp(t)
	for name, r := range map[string]*http.Request{
		"HST1 Host":            func() *http.Request { r := request("GET", "/"); r.Host = "evil.example"; return r }(),
		"HST2 absolute target": request("GET", "http://evil.example/"),
		"HST2 no Host":         func() *http.Request { r := request("GET", "/"); r.Host = ""; return r }(),
		"HST3 X-Forwarded-Host": func() *http.Request {
			r := request("GET", "/")
			r.Header.Set("X-Forwarded-Host", "evil.example")
			return r
		}(),
		"HST3 X-Forwarded-Proto": func() *http.Request { r := request("GET", "/"); r.Header.Set("X-Forwarded-Proto", "http"); return r }(),
		"HST3 Forwarded": func() *http.Request {
			r := request("GET", "/")
			r.Header.Set("Forwarded", "host=evil.example")
			return r
		}(),
		"HST3 X-Forwarded-Prefix": func() *http.Request {
			r := request("GET", "/")
			r.Header.Set("X-Forwarded-Prefix", "//evil.example")
			return r
		}(),
	} {
		rec, _ := visit(a.Require, r)
		if got := rec.Header().Get("WWW-Authenticate"); got != appServiceChallenge {
			t.Errorf("%s: WWW-Authenticate %s", name, got)
		}
		if strings.Contains(rec.Body.String(), "evil") {
			t.Errorf("%s: body %s", name, rec.Body)
		}
	}
}

// Refresh.md E5: what a guard answers while it is not the user's fault.
func TestE5WhatIsNotTheUsersFault(t *testing.T) {
	type outcome struct {
		status     int
		retryAfter string
		reason     string
	}
	tests := []struct {
		name  string
		wreck func(a *app) // with a session that needs the provider
		after time.Duration
		want  outcome
	}{
		{"our store is down", func(a *app) { a.faults.Fail(errors.New("down")) }, 0, outcome{503, "5", "store_unavailable"}},
		{"our store hangs", func(a *app) { a.faults.Hang() }, 0, outcome{503, "5", "store_unavailable"}},
		{"grace, and the provider is busy", func(a *app) { a.idp.fail(providers.Busy, 20*time.Second) }, 9 * time.Hour,
			outcome{503, "20", "provider_unavailable"}},
		{"grace, and the provider rejects the application", func(a *app) { a.idp.fail(providers.Misconfigured, 0) }, 9 * time.Hour,
			outcome{502, "", "provider_misconfigured"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t)
				cookie := a.signIn(t)
				time.Sleep(tt.after)
				tt.wreck(a)

				rec, seen := visit(a.Require, request("GET", "/api", cookie))
				if got := (outcome{rec.Code, rec.Header().Get("Retry-After"), reason(rec)}); got != tt.want || seen != nil {
					t.Errorf("API: %+v, want %+v", got, tt.want)
				}
				if rec.Header().Get("WWW-Authenticate") != "" || len(rec.Result().Cookies()) != 0 {
					t.Errorf("API: headers %v", rec.Header())
				}

				rec, _ = visit(a.Require, page("/account", cookie))
				reloads := rec.Header().Get("Refresh") != ""
				if rec.Code != tt.want.status || rec.Header().Get("Location") != "" || reloads != (tt.want.status == 503) ||
					!strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
					t.Errorf("page: status %d, headers %v", rec.Code, rec.Header())
				}

				form := request("POST", "/save", cookie)
				form.Header.Set("Sec-Fetch-Mode", "navigate")
				if rec, _ = visit(a.Require, form); rec.Header().Get("Refresh") != "" || rec.Code != tt.want.status {
					t.Errorf("form: status %d, headers %v; a form must not post itself again", rec.Code, rec.Header())
				}
			})
		})
	}
}

// A request whose client went away is nobody's fault and no news.
func TestADisconnectIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a := newApp(t, logTo(&log))
		cookie := a.signIn(t)
		log.Reset()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		visit(a.Authenticate, request("GET", "/", cookie).WithContext(ctx))
		if log.Len() > 0 {
			t.Errorf("log %s", &log)
		}
	})
}

// LEA7: an operator reads in the log why a request was refused, and the user
// does not read it in the answer.
func TestLEA7CausesStayInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a := newApp(t, logTo(&log))
		cookie := a.signIn(t)
		a.faults.Fail(errors.New("dial tcp 10.0.0.7:6379: canary"))
		for _, r := range []*http.Request{request("GET", "/", cookie), page("/", cookie)} {
			rec, _ := visit(a.Require, r)
			if strings.Contains(rec.Body.String(), "canary") || strings.Contains(rec.Body.String(), "10.0.0.7") {
				t.Errorf("body %s", rec.Body)
			}
		}
		if !strings.Contains(log.String(), "canary") || strings.Contains(log.String(), cookie.Value) {
			t.Errorf("log %s", &log)
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
