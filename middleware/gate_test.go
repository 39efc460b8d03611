package middleware_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// gated puts a gate around the application.
func gated(gate middleware.Gate) func(*middleware.Config, *session.Config) {
	return func(m *middleware.Config, _ *session.Config) { m.Gate = &gate }
}

// Contract 1.11: unauthenticatedClientAction.
func TestWhatTheGateAnswersStrangers(t *testing.T) {
	requests := []struct {
		name string
		r    func() *http.Request
	}{
		{"page", func() *http.Request { return page("/account?x=1") }},
		{"program", func() *http.Request { return request("GET", "/account") }},
		{"XMLHttpRequest", func() *http.Request {
			return with(with(request("GET", "/account"), "Accept", "text/html"), "X-Requested-With", "XMLHttpRequest")
		}},
		{"SDK", func() *http.Request {
			return with(with(request("GET", "/account"), "Accept", "text/html"), "X-ZUMO-VERSION", "2")
		}},
		{"gRPC", func() *http.Request { return with(request("POST", "/svc/Call"), "Content-Type", "application/grpc") }},
	}
	for _, tt := range []struct {
		action  middleware.Action
		page    int
		others  int
		reason  string
		asks    bool // WWW-Authenticate
		program bool // reaches the application
	}{
		{middleware.AllowAnonymous, 200, 200, "", false, true},
		{middleware.RedirectToLogin, 302, 401, "sign_in_required", true, false},
		{middleware.Return401, 401, 401, "sign_in_required", true, false},
		{middleware.Return403, 403, 403, "strangers_forbidden", false, false},
		{middleware.Return404, 404, 404, "not_found", false, false},
	} {
		for _, by := range requests {
			t.Run(tt.action.String()+"/"+by.name, func(t *testing.T) {
				a := newApp(t, gated(middleware.Gate{Unauthenticated: tt.action, Provider: "google"}))
				rec, seen := visit(a.Authenticate, by.r())
				status := tt.others
				if by.name == "page" {
					status = tt.page
				}
				if rec.Code != status || (seen != nil) != tt.program {
					t.Errorf("status %d, want %d", rec.Code, status)
				}
				if status == 302 {
					if got, want := rec.Header().Get("Location"), "/.auth/login/google?post_login_redirect_uri=%2Faccount%3Fx%3D1"; got != want {
						t.Errorf("Location %s, want %s", got, want)
					}
					return
				}
				if by.name != "page" && reason(rec) != tt.reason {
					t.Errorf("reason %s, want %s", reason(rec), tt.reason)
				}
				if asks := rec.Header().Get("WWW-Authenticate"); (asks != "") != tt.asks || tt.asks && asks != appServiceChallenge {
					t.Errorf("WWW-Authenticate %s", asks)
				}
				if n := a.counts.Reset(); n != (storetest.Counts{}) {
					t.Errorf("store calls %+v for a stranger", n)
				}
			})
		}
	}
}

func TestGateLetsUsersAndTheRoutesOfEasyauthPass(t *testing.T) {
	for action := range middleware.Return404 + 1 {
		a := newApp(t, gated(middleware.Gate{Unauthenticated: action}))
		if rec, seen := visit(a.Authenticate, page("/account", a.signIn(t))); seen == nil || user(seen) != "user-1" {
			t.Errorf("%v: a user gets %d", action, rec.Code)
		}
		if rec, seen := visit(a.Authenticate, page("/.auth/login")); seen == nil {
			t.Errorf("%v: the login answers %d", action, rec.Code)
		}
	}
}

// A store that is down is no reason to send anybody to the login, or away.
func TestGateWithoutAStoreIsNotAChallenge(t *testing.T) {
	for action := middleware.RedirectToLogin; action <= middleware.Return404; action++ {
		a := newApp(t, gated(middleware.Gate{Unauthenticated: action, ExcludedPaths: []string{"/open"}}))
		cookie := a.signIn(t)
		a.faults.Fail(errors.New("connection refused"))
		if rec, seen := visit(a.Authenticate, page("/account", cookie)); seen != nil || rec.Code != 503 || len(rec.Result().Cookies()) > 0 {
			t.Errorf("%v: %d", action, rec.Code)
		}
		if _, seen := visit(a.Authenticate, page("/open", cookie)); seen == nil || session.Err(seen.Context()) == nil {
			t.Errorf("%v: an excluded path is closed, or does not know", action)
		}
	}
}

func TestGateTurnsAwayWhoMayNotComeIn(t *testing.T) {
	for action := middleware.RedirectToLogin; action <= middleware.Return404; action++ {
		a := newApp(t, withTokens, gated(middleware.Gate{Unauthenticated: action}))
		rec, seen := visit(a.Authenticate, with(request("GET", "/api"), "Authorization", "Bearer barred"))
		if seen != nil || rec.Code != 403 || reason(rec) != "forbidden" {
			t.Errorf("%v: %d %s", action, rec.Code, reason(rec))
		}
	}
}

// disableWWWAuthenticate.
func TestHiddenChallenge(t *testing.T) {
	a := newApp(t, withTokens, gated(middleware.Gate{Unauthenticated: middleware.RedirectToLogin, HideChallenge: true}))
	for _, r := range []*http.Request{request("GET", "/api"), with(request("GET", "/api"), "Authorization", "Bearer other")} {
		rec, _ := visit(a.Authenticate, r)
		if _, there := rec.Header()["Www-Authenticate"]; there || rec.Code != 401 {
			t.Errorf("%d, %v", rec.Code, rec.Header())
		}
	}
}

// PTH9: an excluded path skips the login, and nothing else.
func TestPTH9ExcludedPath(t *testing.T) {
	a := newApp(t, withHeaders, gated(middleware.Gate{Unauthenticated: middleware.Return401, ExcludedPaths: []string{"/health", "/public/*"}}))
	forgery := with(request("GET", "/public/x"), "X-MS-CLIENT-PRINCIPAL-ID", "admin")
	if _, seen := visit(a.Authenticate, forgery); seen == nil || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "" {
		t.Error("HDR7: a forged header passes on an excluded path, or nothing does")
	}
	if _, seen := visit(a.Authenticate, request("GET", "/public/x", a.signIn(t))); seen == nil || user(seen) != "user-1" || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "user-1" {
		t.Error("a user is not known on an excluded path")
	}
	rec, seen := visit(a.Authenticate, with(request("POST", "/public/x", a.signIn(t)), "Sec-Fetch-Site", "cross-site"))
	if seen != nil || reason(rec) != "cross_site" {
		t.Errorf("CSR10 on an excluded path: %d", rec.Code)
	}
	if _, seen := visit(a.Require, request("GET", "/health")); seen != nil {
		t.Error("a guard further in lets a stranger pass")
	}
}

func TestPTHExcludedPathsHaveOneSpelling(t *testing.T) {
	a := newApp(t, gated(middleware.Gate{Unauthenticated: middleware.Return401,
		ExcludedPaths: []string{"/health", "/public/*", "/größe/*", "/with space/*", "/dir/"}}))
	for _, tt := range []struct {
		target string
		open   bool
	}{
		{"/health", true},
		{"/health?x=/admin", true},
		{"/public/", true},
		{"/public/a/b.css", true},
		{"/public/a/", true},
		{"/public/..a/b..c/...d", true},
		{"/gr%C3%B6%C3%9Fe/x", true},
		{"/with%20space/x", true},
		{"/dir/", true},

		{"/dir", false},
		{"/public", false},
		{"/publicity", false}, // PTH8
		{"/health/", false},
		{"/health/x", false},
		{"/Public/x", false},
		{"/", false},
		{"/admin", false},
		{"/admin?x=/public/a", false},       // PTH4
		{"/admin/public/a", false},          // PTH8, unanchored
		{"/public/../admin", false},         // PTH3
		{"/public/%2e%2e/admin", false},     // PTH3
		{"/public/%2E./admin", false},       // PTH3
		{"/public/..%2fadmin", false},       // PTH3
		{"/public/..;/admin", false},        // PTH3
		{"/public/..%3b/admin", false},      // PTH3
		{"/public/%252e%252e/admin", false}, // PTH2
		{"/public/..%5cadmin", false},
		{"/public/.../admin", false},
		{"/public/..%20/admin", false},
		{"/public/./admin", false},
		{"/public//admin", false},
		{"//public/x", false},
		{"/./public/x", false},
		{"/x/../public/x", false},
		{"/public%2fx", false},
		{"/%70ublic%2f../admin", false},
		{"/public/secret%23/bar", false}, // PTH4
		{"/public/secret%3F/bar", false}, // PTH4
		{"/public/a%00", false},
		{"/public/a%0d%0a", false},
		{"/public/%C0%AE%C0%AE/admin", false}, // overlong dots
		{"/health%20", false},
		{"/health;x", false},
		{`/public\..\admin`, false},
	} {
		r := request("GET", tt.target)
		for _, name := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"} { // PTH7
			r.Header.Set(name, "/health")
		}
		r.Header.Set("User-Agent", "kube-probe/1.0")
		if _, seen := visit(a.Authenticate, r); (seen != nil) != tt.open {
			t.Errorf("%s is open: %v, want %v", tt.target, seen != nil, tt.open)
		}
	}
	// PTH6: the method is the one that was sent.
	r := with(request("POST", "/admin"), "X-HTTP-Method-Override", "GET")
	if rec, seen := visit(a.Authenticate, r); seen != nil || rec.Code != 401 {
		t.Errorf("%d", rec.Code)
	}
}

// The path that decides is the one that the application sees.
func TestPTH3ExcludedPathAfterARewrite(t *testing.T) {
	a := newApp(t, gated(middleware.Gate{Unauthenticated: middleware.Return401, ExcludedPaths: []string{"/public/*"}}))
	stripped := func(h http.Handler) http.Handler { return http.StripPrefix("/public", a.Authenticate(h)) }
	if _, seen := visit(stripped, request("GET", "/public/admin")); seen != nil {
		t.Error("the application was asked for /admin by a stranger")
	}
}

func TestGatesThatAreRefused(t *testing.T) {
	m, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	plain, _ := url.Parse("http://localhost:8080")
	for _, tt := range []struct {
		name  string
		gate  middleware.Gate
		cause string
	}{
		{"PTH8 everything", middleware.Gate{ExcludedPaths: []string{"/*"}}, `"/*" excludes everything`},
		{"PTH8 no segment boundary", middleware.Gate{ExcludedPaths: []string{"/api*"}}, `"/api*" refused`},
		{"PTH8 in the middle", middleware.Gate{ExcludedPaths: []string{"/a/*/b"}}, `"/a/*/b" refused`},
		{"PTH3 climbing", middleware.Gate{ExcludedPaths: []string{"/a/../b/*"}}, "refused"},
		{"encoded", middleware.Gate{ExcludedPaths: []string{"/a%2fb"}}, "refused"},
		{"relative", middleware.Gate{ExcludedPaths: []string{"health"}}, "refused"},
		{"empty", middleware.Gate{ExcludedPaths: []string{""}}, "refused"},
		{"two at once", middleware.Gate{ExcludedPaths: []string{"x", "/api*"}}, `"/api*" refused`},
		{"provider", middleware.Gate{Provider: "gogle"}, `no provider "gogle"`},
		{"action", middleware.Gate{Unauthenticated: 9}, "Action9"},
		{"https without", middleware.Gate{RequireHTTPS: true}, "BaseURL is http"},
	} {
		g, err := middleware.New(middleware.Config{Sessions: m, BaseURL: plain, Gate: &tt.gate, LogoutEndpoint: "everything at once"})
		if err != nil && !strings.Contains(err.Error(), "LogoutEndpoint") {
			t.Errorf("%s: not all of it is told: %v", tt.name, err)
		}
		if g != nil || err == nil || !strings.Contains(err.Error(), tt.cause) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.cause)
		}
	}
}
