package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestAuthenticateAttachesTheSessionForOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.counts.Reset()
		rec, seen := visit(a.Authenticate, request("GET", "/account", cookie))
		if seen == nil || user(seen) != "user-1" {
			t.Fatal("the handler does not see the user")
		}
		if got, want := a.counts.Reset(), (storetest.Counts{Loads: 1, Keys: 2}); got != want {
			t.Errorf("store calls %+v, want %+v", got, want)
		}
		if len(rec.Header()) > 1 { // Content-Type, by the recorder
			t.Errorf("an ordinary request sets headers: %v", rec.Header())
		}
	})
}

func TestAStrangerCostsNothing(t *testing.T) {
	a := newApp(t)
	h := a.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := httptest.NewRecorder()
	for _, r := range []*http.Request{request("GET", "/"), request("GET", "/.auth/me"), page("/account?tab=1")} {
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
			t.Errorf("%s: %v allocations", r.URL, n)
		}
	}
	if got := a.counts.Counts(); got != (storetest.Counts{}) {
		t.Errorf("store calls %+v, want none", got)
	}
}

// The application gets the very ResponseWriter that the server made: flushing,
// hijacking and deadlines work because nothing stands in between.
func TestTheHandlerGetsTheIdenticalResponseWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(9 * time.Hour) // a renewed session writes a cookie, and even then
		everything := a.Authenticate(a.Require(a.RequireToken(a.Allow(func(*session.Session) bool { return true })(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.(*marked).seen = true })))))
		w := &marked{ResponseWriter: httptest.NewRecorder()}
		everything.ServeHTTP(w, request("GET", "/", cookie))
		if !w.seen {
			t.Error("the handler did not get the writer, or did not run")
		}
	})
}

type marked struct {
	http.ResponseWriter
	seen bool
}

func TestASessionInGraceIsRenewedBeforeTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(8*time.Hour + time.Second)
		rec, seen := visit(a.Authenticate, page("/account", cookie))
		s, ok := session.FromContext(seen.Context())
		if !ok || s.State() != session.Active || time.Until(s.ExpiresAt) != 8*time.Hour {
			t.Fatalf("the handler sees %+v, %v; want an active session", s, ok)
		}
		if a.idp.calls.Load() != 1 {
			t.Errorf("%d calls to the provider, want 1", a.idp.calls.Load())
		}
		set := rec.Result().Cookies()
		if len(set) != 1 || set[0].Value != cookie.Value || set[0].Expires.Sub(time.Now()).Round(time.Minute) != 80*time.Hour {
			t.Errorf("cookies %v; want the same value for another session and grace", set)
		}
		if got := rec.Result().Header["Cache-Control"]; len(got) == 0 || got[0] != "no-store" {
			t.Errorf("Cache-Control %q on an answer with a cookie", got)
		}
	})
}

func TestCAC3NoCookieOnAnAnswerThatMayBe304(t *testing.T) {
	for _, name := range []string{"If-None-Match", "If-Modified-Since"} {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t)
			cookie := a.signIn(t)
			time.Sleep(9 * time.Hour)
			r := request("GET", "/logo.png", cookie)
			r.Header.Set(name, `"x"`)
			rec, seen := visit(a.Authenticate, r)
			if user(seen) != "user-1" {
				t.Error("the session was not renewed")
			}
			if len(rec.Result().Cookies()) != 0 || rec.Header().Get("Cache-Control") != "" {
				t.Errorf("%s: answer has %v", name, rec.Header())
			}
		})
	}
}

func TestCAC3NoCookieWhereTheSessionWasNotDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(7 * time.Hour)
		rec, _ := visit(a.Authenticate, request("GET", "/logo.png", cookie))
		if len(rec.Result().Cookies()) != 0 {
			t.Errorf("cookies %v", rec.Result().Cookies())
		}
	})
}

func TestPastItsGraceASessionIsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(80*time.Hour + time.Second)
		rec, seen := visit(a.Authenticate, page("/", cookie))
		if user(seen) != "" || session.Err(seen.Context()) != nil {
			t.Error("the handler sees somebody")
		}
		if len(rec.Result().Cookies()) != 0 {
			t.Error("the cookie was touched")
		}
	})
}

func TestAccessTokensAreKeptFreshUnlessThatIsLeftToTheHandler(t *testing.T) {
	for lazy, want := range map[bool]int32{false: 1, true: 0} {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t, func(c *middleware.Config, _ *session.Config) { c.LazyTokens = lazy })
			cookie := a.signIn(t)
			time.Sleep(2 * time.Hour)
			_, seen := visit(a.Authenticate, request("GET", "/", cookie))
			if got := a.idp.calls.Load(); got != want {
				t.Errorf("lazy %v: %d calls to the provider before the handler, want %d", lazy, got, want)
			}
			s, _ := session.FromContext(seen.Context())
			if tok, err := s.Token(t.Context()); err != nil || tok.AccessToken != "access-1" {
				t.Errorf("lazy %v: Token = %v, %v", lazy, tok, err)
			}
		})
	}
}

func TestAProviderThatIsDownKeepsNobodyFromBeingServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.idp.fail(providers.Busy, 0)
		time.Sleep(2 * time.Hour)
		if _, seen := visit(a.Authenticate, request("GET", "/", cookie)); user(seen) != "user-1" {
			t.Error("the user is not signed in")
		}
	})
}

// R7: a store that is down takes public routes nothing, and no cookie.
func TestR7StoreOutageIsNotAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.faults.Fail(errors.New("connection refused"))
		rec, seen := visit(a.Authenticate, request("GET", "/", cookie))
		if rec.Code != 200 || seen == nil {
			t.Fatalf("status %d on a public route", rec.Code)
		}
		if !errors.Is(session.Err(seen.Context()), session.ErrUnavailable) {
			t.Errorf("Err = %v, want ErrUnavailable", session.Err(seen.Context()))
		}
		if len(rec.Result().Cookies()) != 0 {
			t.Error("the cookie was touched")
		}
		if rec, _ := visit(a.Authenticate, request("GET", "/")); rec.Code != 200 {
			t.Errorf("a stranger got %d", rec.Code)
		}
		a.faults.Heal()
		if _, seen := visit(a.Authenticate, request("GET", "/", cookie)); user(seen) != "user-1" {
			t.Error("after the outage the user is not signed in")
		}
	})
}

func TestGraceThatCannotBeDecidedNowIsNotAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(9 * time.Hour)
		a.idp.fail(providers.Busy, 20*time.Second)
		_, seen := visit(a.Authenticate, request("GET", "/", cookie))
		if err := session.Err(seen.Context()); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, grant.ErrTransient) {
			t.Errorf("Err = %v, want ErrUnavailable with ErrTransient inside", err)
		}
	})
}

func TestARefusedRenewalIsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		time.Sleep(9 * time.Hour)
		a.idp.fail(providers.Revoked, 0)
		rec, seen := visit(a.Authenticate, request("GET", "/", cookie))
		if user(seen) != "" || session.Err(seen.Context()) != nil || len(rec.Result().Cookies()) != 0 {
			t.Errorf("user %q, Err %v, cookies %v", user(seen), session.Err(seen.Context()), rec.Result().Cookies())
		}
	})
}

func TestASessionThatEndsWhileItsTokenIsKeptFreshIsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(_ *middleware.Config, c *session.Config) { c.EndOnRevoke = true })
		cookie := a.signIn(t)
		a.idp.fail(providers.Revoked, 0)
		time.Sleep(2 * time.Hour)
		if _, seen := visit(a.Authenticate, request("GET", "/", cookie)); user(seen) != "" {
			t.Error("the handler sees the user of an ended session")
		}
	})
}

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

// cacheControl is what a cache reads, to which field names have no case.
func cacheControl(rec *httptest.ResponseRecorder) string {
	var all []string
	for name, values := range rec.Header() {
		if strings.EqualFold(name, "Cache-Control") {
			all = append(all, values...)
		}
	}
	return strings.Join(all, ", ")
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

func TestPathsUnderThePrefixGetNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		cookie := a.signIn(t)
		a.counts.Reset()
		_, seen := visit(a.Authenticate, request("GET", "/.auth/me", cookie))
		if seen == nil || user(seen) != "" {
			t.Error("a route of easyauth is not handed on as it came")
		}
		if got := a.counts.Counts(); got != (storetest.Counts{}) {
			t.Errorf("store calls %+v, want none", got)
		}
	})
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

func TestOnlyRoutesOfTheApplicationKeepAnIdleSessionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(_ *middleware.Config, c *session.Config) { c.IdleTimeout = 30 * time.Minute })
		cookie := a.signIn(t)
		for range 3 {
			time.Sleep(20 * time.Minute)
			if _, seen := visit(a.Authenticate, request("GET", "/", cookie)); user(seen) != "user-1" {
				t.Fatal("an active user is signed out")
			}
		}
		for range 2 {
			time.Sleep(20 * time.Minute)
			visit(a.Authenticate, request("GET", "/.auth/me", cookie))
		}
		if _, seen := visit(a.Authenticate, request("GET", "/", cookie)); user(seen) != "" {
			t.Error("polling /.auth/me kept the session alive")
		}
	})
}

// CAC1, over real connections: the application's own Cache-Control does not
// make an answer with a cookie storable.
func TestCAC1TheApplicationCannotMakeACookieCacheable(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			a := newApp(t, func(_ *middleware.Config, c *session.Config) { c.Lifetime = time.Millisecond; c.Grace = time.Hour })
			cookie := a.signIn(t)
			time.Sleep(5 * time.Millisecond) // no bubble: a real listener
			srv := httptest.NewUnstartedServer(a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "public, s-maxage=31536000")
				io.WriteString(w, user(r))
			})))
			srv.EnableHTTP2 = proto == "HTTP/2.0"
			srv.StartTLS()
			defer srv.Close()
			r, _ := http.NewRequest("GET", srv.URL+"/logo.png", nil)
			r.AddCookie(cookie)
			resp, err := srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.Proto != proto || string(body) != "user-1" || len(resp.Cookies()) != 1 {
				t.Fatalf("%s %q, cookies %v", resp.Proto, body, resp.Cookies())
			}
			if got := strings.Join(resp.Header.Values("Cache-Control"), ", "); !strings.Contains(got, "no-store") {
				t.Errorf("Cache-Control %q leaves an answer with a cookie to every cache", got)
			}
		})
	}
}
