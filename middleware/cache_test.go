package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
)

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
