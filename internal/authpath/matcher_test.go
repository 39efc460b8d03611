package authpath_test

import (
	"net/url"
	"testing"

	"github.com/goeasyauth/easyauth/internal/authpath"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name   string
		target string // as on the request line
		place  authpath.Place
		route  string
	}{
		{"a route", "/.auth/me", authpath.Inside, "me"},
		{"a route with a query", "/.auth/me?provider=aad", authpath.Inside, "me"},
		{"a route of several segments", "/.auth/login/google/callback", authpath.Inside, "login/google/callback"},
		{"the provider keeps its case", "/.auth/login/AAD", authpath.Inside, "login/AAD"},
		{"the prefix alone", "/.auth", authpath.Inside, ""},
		{"an unknown route is still ours", "/.auth/nothing", authpath.Inside, "nothing"},

		{"the root", "/", authpath.Outside, ""},
		{"an application's route", "/account", authpath.Outside, ""},
		{"another dot directory", "/.well-known/openid-configuration", authpath.Outside, ""},
		{"no segment boundary", "/.authors/1", authpath.Outside, ""},
		{"a file beside it", "/.auth.css", authpath.Outside, ""},
		{"deeper down", "/app/.auth/me", authpath.Outside, ""},
		{"in the query only", "/app?next=/.auth/me", authpath.Outside, ""},
		{"encoded, and harmless", "/files/a%2Fb", authpath.Outside, ""},
		{"a dot segment, and harmless", "/static/../app.css", authpath.Outside, ""},
		{"non-ASCII", "/caf%C3%A9", authpath.Outside, ""},
		{"OPTIONS *", "*", authpath.Outside, ""},

		{"PTH1 doubled slash before", "//.auth/me", authpath.Reserved, ""},
		{"PTH1 doubled slash inside", "/.auth//me", authpath.Reserved, ""},
		{"PTH1 single dot before", "/./.auth/me", authpath.Reserved, ""},
		{"PTH1 climbing in", "/x/../.auth/me", authpath.Reserved, ""},
		{"PTH1 climbing in, in another case", "/x/../.AUTH/me", authpath.Reserved, ""},
		{"PTH1 climbing out", "/.auth/../x", authpath.Reserved, ""},
		{"PTH1 climbing inside", "/.auth/x/../me", authpath.Reserved, ""},
		{"PTH2 encoded slash", "/.auth%2fme", authpath.Reserved, ""},
		{"PTH2 encoded dot", "/%2eauth/me", authpath.Reserved, ""},
		{"PTH2 encoded letter in the route", "/.auth/%6de", authpath.Reserved, ""},
		{"PTH2 encoded letter in the prefix", "/.%61uth/me", authpath.Reserved, ""},
		{"PTH2 encoded twice", "/%252eauth/me", authpath.Reserved, ""},
		{"PTH2 encoded five times", "/%252525252eauth/me", authpath.Reserved, ""},
		{"PTH2 an octet that decoding completes", "/%252%65auth/me", authpath.Reserved, ""},
		{"PTH2 an octet that a decoded octet completes", "/%252%2565auth/me", authpath.Reserved, ""},
		{"PTH2 encoded separator that hides a climb", "/x%2fy/../.auth/me", authpath.Reserved, ""},
		{"PTH2 encoded separators seen by who decodes three times", "/x%25252fy%252f..%252f.auth", authpath.Reserved, ""},
		{"PTH5 upper case", "/.AUTH/me", authpath.Reserved, ""},
		{"PTH5 mixed case, alone", "/.Auth", authpath.Reserved, ""},
		{"PTH5 trailing slash", "/.auth/me/", authpath.Reserved, ""},
		{"PTH5 trailing slash on the prefix", "/.auth/", authpath.Reserved, ""},
		{"PTH5 parameters on the route", "/.auth/me;x=1", authpath.Reserved, ""},
		{"PTH5 parameters on the prefix", "/.auth;x=1/me", authpath.Reserved, ""},
		{"PTH5 a segment of parameters only", "/;x/.auth/me", authpath.Reserved, ""},
		{"PTH5 parameters that hide a separator", "/;%2fb/.auth/me", authpath.Reserved, ""},
		{"PTH5 NUL", "/.auth%00/me", authpath.Reserved, ""},
		{"PTH5 DEL", "/.auth%7f/me", authpath.Reserved, ""},
		{"PTH5 NUL in the route", "/.auth/me%00", authpath.Reserved, ""},
		{"PTH5 space", "/.auth%20/me", authpath.Reserved, ""},
		{"PTH5 space before", "/%20.auth/me", authpath.Reserved, ""},
		{"PTH5 space in the route", "/.auth/me%20", authpath.Reserved, ""},
		{"PTH5 backslash", `/.auth\me`, authpath.Reserved, ""},
		{"PTH5 backslash before", `/\.auth/me`, authpath.Reserved, ""},
		{"PTH5 encoded backslash", "/.auth%5cme", authpath.Reserved, ""},
		{"PTH5 encoded question mark", "/.auth%3fx", authpath.Reserved, ""},
		{"PTH5 encoded hash", "/.auth%23x/me", authpath.Reserved, ""},
		{"CAC4 line feed", "/.auth/me%0a.css", authpath.Reserved, ""},
		{"CAC4 a file below a route is no canonical alias", "/.auth/me/x.css", authpath.Inside, "me/x.css"},
		{"CAC4 a suffix makes another route", "/.auth/me.css", authpath.Inside, "me.css"},
		{"MIX6 climbing to another provider", "/.auth/login/google%2f..%2faad/callback", authpath.Reserved, ""},
		{"MIX6 climbing to another provider, plainly", "/.auth/login/google/../aad/callback", authpath.Reserved, ""},
	}
	m, err := authpath.New("")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.ParseRequestURI(tt.target)
			if tt.target == "*" {
				u, err = &url.URL{Path: "*"}, nil
			}
			if err != nil {
				t.Fatalf("the server itself refuses %q: %v", tt.target, err)
			}
			place, route := m.Match(u)
			if place != tt.place || route != tt.route {
				t.Errorf("Match(%q) = %v %q, want %v %q", tt.target, place, route, tt.place, tt.route)
			}
		})
	}
}

// A router that looks at RawPath first must not find a route there that Path
// does not show.
func TestMatchJudgesARawPathThatDoesNotBelongToItsPath(t *testing.T) {
	m, _ := authpath.New("")
	for _, u := range []url.URL{
		{Path: "/x", RawPath: "/.auth/me"},
		{Path: "/.auth/me", RawPath: "/x"},
		{Path: "/.auth/me", RawPath: "/.auth/me"},
	} {
		if place, _ := m.Match(&u); place != authpath.Reserved {
			t.Errorf("Match(%q, raw %q) = %v, want reserved", u.Path, u.RawPath, place)
		}
	}
}

func TestMatchOtherPrefixes(t *testing.T) {
	tests := []struct {
		prefix, path string
		place        authpath.Place
		route        string
	}{
		{"/session", "/session/me", authpath.Inside, "me"},
		{"/session", "/SESSION/me", authpath.Reserved, ""},
		{"/session", "/ſession/me", authpath.Reserved, ""}, // U+017F folds to s
		{"/session", "/session/", authpath.Reserved, ""},
		{"/session", "/sessions", authpath.Outside, ""},
		{"/api/auth", "/api/auth/login/google", authpath.Inside, "login/google"},
		{"/api/auth", "/api/Auth/login", authpath.Reserved, ""},
		{"/api/auth", "/api//auth/login", authpath.Reserved, ""},
		{"/api/auth", "/api/x/../auth/login", authpath.Reserved, ""},
		{"/api/auth", "/api", authpath.Outside, ""},
		{"/api/auth", "/api/authors", authpath.Outside, ""},
		{"/api/auth", "/auth/login", authpath.Outside, ""},
		{"/api/auth", "/wiki/how to/auth", authpath.Outside, ""},
	}
	for _, tt := range tests {
		m, err := authpath.New(tt.prefix)
		if err != nil {
			t.Fatal(err)
		}
		if place, route := m.Match(&url.URL{Path: tt.path}); place != tt.place || route != tt.route {
			t.Errorf("prefix %s: Match(%q) = %v %q, want %v %q", tt.prefix, tt.path, place, route, tt.place, tt.route)
		}
	}
}

func TestNewRefusesPrefixesWithMoreThanOneReading(t *testing.T) {
	for _, prefix := range []string{"/", "auth", "/.auth/", "//auth", "/a//b", "/a/../b", "/.", "/a b", "/%2eauth", "/a;b", "/ä", `/a\b`} {
		if _, err := authpath.New(prefix); err == nil {
			t.Errorf("New(%q) took the prefix", prefix)
		}
	}
	if m, err := authpath.New(""); err != nil || m.Prefix() != "/.auth" {
		t.Errorf("New(\"\") = %v, %v; want the default /.auth", m, err)
	}
}

func TestMatchOfOrdinaryPathsAllocatesNothing(t *testing.T) {
	m, _ := authpath.New("")
	for _, path := range []string{"/", "/api/users/42", "/.well-known/x", "/.auth/me", "/a//b"} {
		u := &url.URL{Path: path}
		if n := testing.AllocsPerRun(100, func() { m.Match(u) }); n != 0 {
			t.Errorf("Match(%q): %v allocations", path, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	m, _ := authpath.New("")
	for _, path := range []string{"/", "/api/users/42", "/.well-known/x", "/.auth/login/google/callback", "/a/../b%"} {
		u := &url.URL{Path: path}
		b.Run(path[1:], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Match(u)
			}
		})
	}
}
