package authpath_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/authpath"
)

// FuzzNoReaderFindsTheApplicationUnderThePrefix is F11: whatever an independent
// reader takes for a path under /.auth is never Outside, and what is Inside is
// what net/http.ServeMux finds there.
func FuzzNoReaderFindsTheApplicationUnderThePrefix(f *testing.F) {
	for _, seed := range []string{
		"/.auth/me", "/", "/x", "//.auth/me", "/.auth//me", "/x/../.auth/me", "/.auth%2fme", "/%2eauth/me",
		"/%252eauth/me", "/.AUTH/me", "/.auth/me;x=1", "/.auth%00", `/.auth\me`, "/;%2fb/.auth/me", "/x%2fy/../.auth",
		"/.auth/login/google%2f..%2faad/callback", "/%2%65auth", "/.auth/me%0a.css", "/.well-known/x",
	} {
		f.Add(seed)
	}
	m, err := authpath.New("")
	if err != nil {
		f.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.auth/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})

	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return // never reaches a handler
		}
		place, route := m.Match(u)
		if place == authpath.Outside {
			for name, reading := range readings(u) {
				if under(reading) {
					t.Errorf("%q is outside, but %s reads %q", target, name, reading)
				}
			}
		}
		_, pattern := mux.Handler(&http.Request{Method: "GET", URL: u, Host: "app.example"})
		switch {
		case place == authpath.Outside && pattern == "/.auth/":
			t.Errorf("%q is outside, but ServeMux serves it under /.auth/", target)
		case place == authpath.Inside && route != "" && pattern != "/.auth/":
			t.Errorf("%q is inside, but ServeMux serves it with %q", target, pattern)
		case place == authpath.Inside && route != "" && (u.Path != "/.auth/"+route || path.Clean(u.Path) != u.Path):
			t.Errorf("%q is inside as %q, but that is not its canonical spelling", target, route)
		}
		// What ServeMux redirects to must be judged like what it came from.
		if place == authpath.Outside && u.RawPath == "" {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, &http.Request{Method: "GET", URL: u, Host: "app.example", Header: http.Header{}, RequestURI: target})
			if to, err := url.Parse(rec.Header().Get("Location")); err == nil && under(to.Path) {
				t.Errorf("%q is outside, but ServeMux redirects it to %q", target, to.Path)
			}
		}
	})
}

// readings are the ways in which routers, proxies and frameworks are known to
// read one path.
func readings(u *url.URL) map[string]string {
	all := map[string]string{"Path": u.Path, "EscapedPath": u.EscapedPath(), "RawPath": u.RawPath}
	decoded := u.Path
	for n := 2; n <= 4; n++ {
		again, err := url.PathUnescape(decoded)
		if err != nil {
			break
		}
		decoded = again
		all["decoded "+strings.Repeat("again ", n-1)] = decoded
	}
	for name, p := range all {
		all[name+" without parameters"] = cutParameters(p)
	}
	for name, p := range all {
		all[name+" with slashes turned"] = strings.ReplaceAll(p, `\`, "/")
	}
	for name, p := range all {
		all[name+" cleaned"] = path.Clean("/" + p)
	}
	return all
}

func cutParameters(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

func under(p string) bool {
	p = strings.ToLower(p)
	return p == "/.auth" || strings.HasPrefix(p, "/.auth/")
}
