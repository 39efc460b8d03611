package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// appServiceChallenge is WWW-Authenticate as App Service sends it.
const appServiceChallenge = `Bearer realm="app.example" authorization_uri="https://app.example/.auth/login"`

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

func TestTheLoginLeadsBackToWhatTheBrowserAskedFor(t *testing.T) {
	a := newApp(t)
	stripped := func(h http.Handler) http.Handler { return http.StripPrefix("/admin", a.Require(h)) }
	rec, _ := visit(stripped, page("/admin/users?page=2"))
	if got, want := rec.Header().Get("Location"), "/.auth/login?post_login_redirect_uri=%2Fadmin%2Fusers%3Fpage%3D2"; got != want {
		t.Errorf("Location %s, want %s", got, want)
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
