package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
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
		if len(set) != 1 || set[0].Value != cookie.Value || time.Until(set[0].Expires).Round(time.Minute) != 80*time.Hour {
			t.Errorf("cookies %v; want the same value for another session and grace", set)
		}
		if got := rec.Result().Header["Cache-Control"]; len(got) == 0 || got[0] != "no-store" {
			t.Errorf("Cache-Control %q on an answer with a cookie", got)
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
