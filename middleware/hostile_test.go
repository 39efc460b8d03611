package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestCookieAttacksAreNobody(t *testing.T) {
	a := newApp(t)
	cookie := a.signIn(t)
	pair := cookie.Name + "=" + cookie.Value
	tests := []struct {
		name    string
		headers []string
		cleared bool
		loads   int
	}{
		{"COO3 the cookie twice", []string{pair + "; " + pair}, true, 0},
		{"COO3 a sibling's cookie first", []string{cookie.Name + "=" + strings.Repeat("A", 43) + "; " + pair}, true, 0},
		{"COO3 in two Cookie headers", []string{pair, pair}, true, 0},
		{"COO4 another case", []string{strings.ToLower(cookie.Name) + "=" + cookie.Value}, false, 0},
		{"COO4 a space before the equals sign", []string{cookie.Name + " =" + cookie.Value}, false, 0},
		{"COO4 an empty name", []string{"=" + pair}, false, 0},
		{"COO4 U+2000 before the name", []string{"\u2000" + pair}, false, 0},
		{"COO5 3,001 cookies", []string{strings.Repeat("a=b; ", 3001) + pair}, false, 0},
		{"COO5 one megabyte", []string{"a=" + strings.Repeat("x", 1<<20)}, false, 0},
		{"COO6 quotes", []string{cookie.Name + `="` + cookie.Value + `"`}, false, 0},
		{"COO6 a path", []string{cookie.Name + "=../../../../../../../../../../../../etc/passwd1"}, false, 0},
		{"COO6 SQL", []string{cookie.Name + "=' OR 1=1 --"}, false, 0},
		{"COO6 a wildcard", []string{cookie.Name + "=*"}, false, 0},
		{"COO6 four kilobytes", []string{cookie.Name + "=" + strings.Repeat("A", 4096)}, false, 0},
		{"DOS3 an invented value", []string{cookie.Name + "=" + strings.Repeat("A", 43)}, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/")
			r.Header["Cookie"] = tt.headers
			a.counts.Reset()
			rec, seen := visit(func(h http.Handler) http.Handler { return a.Authenticate(public{a, h}) }, r)
			if seen == nil || user(seen) != "" || session.Err(seen.Context()) != nil {
				t.Error("the handler did not run, or sees somebody")
			}
			if got, want := a.counts.Reset(), (storetest.Counts{Loads: tt.loads, Keys: 2 * tt.loads}); got != want {
				t.Errorf("store calls %+v, want %+v", got, want)
			}
			set := rec.Result().Cookies()
			noStore := strings.Contains(cacheControl(rec), "no-store")
			if tt.cleared != (len(set) == 1 && set[0].Name == cookie.Name && set[0].MaxAge < 0) || tt.cleared != noStore {
				t.Errorf("cookies %v; cleared should be %v", set, tt.cleared)
			}
			r.Header.Set("If-None-Match", "x") // CAC3
			if rec, _ := visit(a.Authenticate, r); len(rec.Result().Cookies()) > 0 {
				t.Error("an answer that may be 304 sets a cookie")
			}
		})
	}
}

// public asks a guard further in about every request, and shows it to the
// handler all the same, as an answer that every cache may keep.
type public struct {
	*app
	http.Handler
}

func (p public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	p.Require(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	p.Handler.ServeHTTP(w, r)
}

func TestPTHOtherSpellingsOfThePrefixReachNobody(t *testing.T) {
	a := newApp(t)
	for _, target := range []string{
		"//.auth/me", "/.auth//me", "/./.auth/me", "/x/../.auth/me", // PTH1
		"/.auth%2fme", "/%2eauth/me", "/.auth/%6de", "/%252eauth/me", // PTH2
		"/.AUTH/me", "/.auth/me/", "/.auth/me;x=1", "/.auth%00/me", "/.auth%20/me", `/.auth\me`, // PTH5
		"/.auth/me%0a.css",                             // CAC4
		"/.auth/login/google%2f..%2faad/callback",      // MIX6
		"http://evil.example/.AUTH/me", "/.auth/me%00", // G34
	} {
		rec, seen := visit(a.Authenticate, request("GET", target))
		if rec.Code != 404 || seen != nil || reason(rec) != "not_found" {
			t.Errorf("%s: status %d, handler reached: %v", target, rec.Code, seen != nil)
		}
	}
}

func TestPTH6AndPTH7NothingButThePathAndTheMethodDecides(t *testing.T) {
	a := newApp(t)
	for name, value := range map[string]string{
		"X-HTTP-Method-Override": "OPTIONS", "X-Original-URL": "/public", "X-Rewrite-URL": "/public", "X-Forwarded-Uri": "/public",
		"User-Agent": "GoogleHC/1.0", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/.auth",
	} {
		r := request("GET", "/account")
		r.Header.Set(name, value)
		if rec, seen := visit(a.Require, r); rec.Code != 401 || seen != nil {
			t.Errorf("%s: status %d, handler reached: %v", name, rec.Code, seen != nil)
		}
	}
	for _, target := range []string{"/account?x=/public/a", "/account%23/bar", "/account?/public", "/public/../account"} { // PTH3, PTH4
		if rec, seen := visit(a.Require, request("GET", target)); rec.Code != 401 || seen != nil {
			t.Errorf("%s: status %d, handler reached: %v", target, rec.Code, seen != nil)
		}
	}
}
