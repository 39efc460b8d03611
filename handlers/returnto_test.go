package handlers_test

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
)

var partners = []string{"https://partner.example", "https://partner.example:8443"}

// payload is one line of the corpus.
type payload struct {
	allow             bool
	target, technique string
}

func corpus(t testing.TB) (payloads []payload) {
	t.Helper()
	f, err := os.Open("testdata/redirect-payloads.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(lines.Text(), "#") || len(fields) != 4 {
			continue
		}
		p := payload{allow: fields[0] == "allow", technique: fields[3]}
		if err := json.Unmarshal([]byte(fields[1]), &p.target); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.technique, "surrogate") {
			p.target = "/\xed\xa0\x80"
		}
		payloads = append(payloads, p)
	}
	if len(payloads) < 120 {
		t.Fatalf("corpus has only %d payloads", len(payloads))
	}
	return payloads
}

// browserOrigin is where a browser goes that is at page and is sent to
// location, read as the WHATWG URL standard says: leniently.
func browserOrigin(page, location string) string {
	base := parse(page)
	s := strings.Trim(location, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	scheme, rest := base.Scheme, s
	if i := strings.IndexByte(s, ':'); i > 0 && !strings.ContainsAny(s[:i], "/\\?#@") {
		scheme, rest = strings.ToLower(s[:i]), s[i+1:]
		if scheme != "http" && scheme != "https" {
			return scheme + ":"
		}
		if scheme != base.Scheme { // special, but not relative to the page
			rest = "//" + strings.TrimLeft(rest, `/\`)
		}
	}
	path, _, _ := strings.Cut(rest, "#")
	path, _, _ = strings.Cut(path, "?")
	path = strings.ReplaceAll(path, `\`, "/")
	if !strings.HasPrefix(path, "//") {
		return base.Scheme + "://" + base.Host
	}
	authority, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(host), map[string]string{"https": ":443", "http": ":80"}[scheme])
}

func escapes(location string) bool {
	switch browserOrigin(app+"/.auth/login/aad/callback", location) {
	case app, partners[0], partners[1]:
		return false
	}
	return true
}

func TestOracleOfTheCorpusReadsLikeABrowser(t *testing.T) {
	for location, want := range map[string]string{
		"/":                                     app,
		"/a?//evil.example":                     app,
		"//evil.example/":                       "https://evil.example",
		`/\evil.example`:                        "https://evil.example",
		"/\t/evil.example":                      "https://evil.example",
		"\n//evil.example":                      "https://evil.example",
		"https:/\\evil.example":                 "https://evil.example",
		"http:evil.example":                     "http://evil.example",
		"https://app.example@evil.example:443/": "https://evil.example",
		"javascript:alert(1)":                   "javascript:",
		"ht\ntps://evil.example":                "https://evil.example",
		"https:evil.example":                    app,
	} {
		if got := browserOrigin(app+"/x", location); got != want {
			t.Errorf("%q: got %s, want %s", location, got, want)
		}
	}
}

// wantLocation is the Location of a payload: itself with its non-ASCII bytes
// percent-encoded, or the default.
func wantLocation(p payload) string {
	if !p.allow {
		return "/"
	}
	var b strings.Builder
	for _, r := range p.target {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString(url.QueryEscape(string(r)))
		}
	}
	return b.String()
}

// RED1-RED9, R15: every payload at the start of a login, where the callback
// judges it again, and at a logout.
func TestRedirectCorpusNeverLeadsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{config: handlers.Config{AllowedRedirects: partners}})
		check := func(p payload, way, got string) {
			t.Helper()
			if got != wantLocation(p) {
				t.Errorf("%s %q (%s): Location %q, want %q", way, p.target, p.technique, got, wantLocation(p))
			}
			if escapes(got) {
				t.Errorf("%s %q (%s): escapes to %s", way, p.target, p.technique, got)
			}
		}
		for _, p := range corpus(t) {
			query := url.QueryEscape(p.target)

			v := s.visitor()
			state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri="+query)
			w := v.get("/.auth/login/aad/callback?code=alice&state=" + state)
			check(p, "login", w.Header().Get("Location"))

			w = v.get("/.auth/logout?post_logout_redirect_uri=" + query)
			check(p, "logout", w.Header().Get("Location"))
			w = v.get("/.auth/logout?post_logout_redirect_uri=" + query)
			check(p, "logout without a session", w.Header().Get("Location"))

			// RED11: the cookie of an attempt that began when anything was allowed.
			f := providers.NewFlow("aad", app+"/.auth/login/aad/callback", p.target)
			name, value := handlers.SealFlow(keys, f)
			v.cookies[name] = value
			w = v.get("/.auth/login/aad/callback?code=alice&state=" + f.State())
			if p.target != "/\xed\xa0\x80" { // JSON carries no such bytes
				check(p, "callback", w.Header().Get("Location"))
			}
		}
	})
}

func TestRED9MonstrousTargetsCostNothing(t *testing.T) {
	s := newSite(t, setup{})
	for name, value := range map[string]string{
		"a megabyte":           "/" + strings.Repeat("a", 1<<20),
		"a megabyte of %zz":    strings.Repeat("%25zz", 1<<18),
		"malformed query":      "%zz",
		"semicolons":           "/a;post_login_redirect_uri=//evil.example",
		"unfinished escape":    "/%2",
		"NUL":                  "%00",
		"overlong UTF-8 slash": "/%c0%af/evil.example",
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range []string{"/.auth/login/aad?post_login_redirect_uri=", "/.auth/logout?post_logout_redirect_uri="} {
				path, query, _ := strings.Cut(route+value, "?")
				v := s.visitor()
				r := v.request(http.MethodGet, path)
				r.URL.RawQuery = query
				var w *httptest.ResponseRecorder
				fastest := time.Hour // of some: the machine may be busy
				for range 5 {
					start := time.Now()
					w = v.do(r)
					fastest = min(fastest, time.Since(start))
				}
				if fastest > 10*time.Millisecond {
					t.Errorf("%s takes %s", path, fastest)
				}
				location := w.Header().Get("Location")
				if state := parse(location).Query().Get("state"); state != "" {
					w = v.get(callbackPath + "?code=alice&state=" + state)
					location = w.Header().Get("Location")
				}
				if w.Code != http.StatusBadRequest && (w.Code != http.StatusFound || location != "/") {
					t.Errorf("%s: status %d, Location %q", path, w.Code, location)
				}
			}
		})
	}
}

func TestRED10TargetsOfALogoutAreOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		for _, evil := range []string{"//evil.example", "https://evil.example/", `/\evil.example`} {
			query := "?post_logout_redirect_uri=" + url.QueryEscape(evil)
			signedIn := s.visitor()
			signedIn.signIn(t, "alice")
			for name, v := range map[string]*visitor{"with a session": signedIn, "without": s.visitor()} {
				if got := v.get("/.auth/logout" + query).Header().Get("Location"); got != "/" {
					t.Errorf("%s, %q: Location %q", name, evil, got)
				}
			}
		}
	})
}

func TestRED11TargetIsJudgedAgainAtTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		older := newSite(t, setup{config: handlers.Config{AllowedRedirects: partners}})
		newer := newSite(t, setup{shared: older.counting})
		v := older.visitor()
		state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=https://partner.example/x")
		v.to = newer
		if got := v.get("/.auth/login/aad/callback?code=alice&state=" + state).Header().Get("Location"); got != "/" {
			t.Errorf("Location %q of a partner that is no longer on the list", got)
		}
	})
}

func TestRED12DuplicatedTargetIsRefused(t *testing.T) {
	s := newSite(t, setup{})
	const a, b = "post_login_redirect_uri", "post_login_redirect_url"
	for query, want := range map[string]int{
		a + "=/ok&" + a + "=//evil.example": http.StatusBadRequest,
		a + "=/ok&" + a + "=/ok":            http.StatusBadRequest,
		a + "=/ok&" + b + "=//evil.example": http.StatusBadRequest,
		b + "=/ok&" + b + "=/ok":            http.StatusBadRequest,
		a + "=/ok&" + b + "=/ok":            http.StatusFound,
		b + "=/ok":                          http.StatusFound,
		a + "=":                             http.StatusFound,
	} {
		if w := s.visitor().get("/.auth/login/aad?"+query, program...); w.Code != want {
			t.Errorf("login?%s: status %d, want %d", query, w.Code, want)
		}
		w := s.visitor().get("/.auth/logout?"+strings.ReplaceAll(query, "login", "logout"), program...)
		if w.Code != want {
			t.Errorf("logout?%s: status %d, want %d", query, w.Code, want)
		}
	}
}

func TestBothSpellingsOfTheTargetLeadThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		for _, name := range []string{"post_login_redirect_uri", "post_login_redirect_url"} {
			v := s.visitor()
			state := v.begin(t, "/.auth/login/aad?"+name+"=/a?b=c")
			if got := v.get("/.auth/login/aad/callback?code=alice&state=" + state).Header().Get("Location"); got != "/a?b=c" {
				t.Errorf("%s: Location %q", name, got)
			}
		}
		if len(s.stub.params[0]) != 0 {
			t.Errorf("the provider got %v: the target is nothing of its own (RED13)", s.stub.params[0])
		}
	})
}

func TestR13TargetOf2048BytesIsKeptAndOneMoreIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		// As hard to compress as a target can be.
		var hard strings.Builder
		for i := 0; hard.Len() < 2047; i++ {
			hard.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~!$&()*+,=:@"[(i*i*7919+i*104729+i/3)%76])
		}
		for target, want := range map[string]string{
			"/" + hard.String():             "/" + hard.String(),
			"/" + hard.String() + "x":       "/",
			"/" + strings.Repeat("&", 2047): "/" + strings.Repeat("&", 2047),
		} {
			v := s.visitor()
			w := v.get("/.auth/login/aad?post_login_redirect_uri=" + url.QueryEscape(target))
			for _, c := range w.Result().Cookies() {
				if n := len(c.Name) + len(c.Value); n > 4096 {
					t.Errorf("cookie of %d bytes: browsers drop it", n)
				}
			}
			state := parse(w.Header().Get("Location")).Query().Get("state")
			if got := v.get("/.auth/login/aad/callback?code=alice&state=" + state).Header().Get("Location"); got != want {
				t.Errorf("target of %d bytes: Location of %d bytes", len(target), len(got))
			}
		}
	})
}

// A cookie that a browser would drop is worse than a lost target.
func TestTargetIsGivenUpWhereTheCookieWouldBeTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prefix := "" // as random as the targets
		for range 10 {
			prefix += "/" + rand.Text()
		}
		s := newSite(t, setup{config: handlers.Config{BaseURL: parse("https://" + strings.ToLower(rand.Text()+rand.Text()) + ".example"), Prefix: prefix}})
		given := 0
		for n := 1663; n < 2048; n += 32 {
			random := make([]byte, n)
			rand.Read(random)
			for i := range random {
				random[i] = '!' + random[i]%93
			}
			target := "/" + strings.NewReplacer("%", "a", "\\", "b", "#", "c", "/", "d", ";", "e", ".", "f").Replace(string(random))
			v := s.visitor()
			w := v.get(prefix + "/login/aad?post_login_redirect_uri=" + url.QueryEscape(target))
			for _, c := range w.Result().Cookies() {
				if len(c.Name)+len(c.Value) > 3840 {
					t.Errorf("target of %d bytes: cookie of %d", n, len(c.Name)+len(c.Value))
				}
			}
			state := parse(w.Header().Get("Location")).Query().Get("state")
			switch got := v.get(prefix + "/login/aad/callback?code=alice&state=" + state).Header().Get("Location"); got {
			case target:
			case "/":
				given++
			default:
				t.Errorf("target of %d bytes: Location of %d bytes", n, len(got))
			}
		}
		if given == 0 {
			t.Error("no target was too large: the test proves nothing")
		}
	})
}

// RED3: what a browser strips, or a proxy reads as white space, stands nowhere
// in a target, not even where it would do no harm.
func TestRED3InvisibleCharactersAreRefusedAnywhere(t *testing.T) {
	targets, err := handlers.NewTargets(parse(app), "/.auth", partners)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"\x00", "\t", "\n", "\v", "\f", "\r", "\x1f", " ", "\x7f", "\\", "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", "\xff"} {
		for _, around := range []string{"/%s", "/a%s", "/a/%s/b", "/a?b=%s", "/a?%s", "/a#%s", "https://app.example/%s", "https://partner.example/?%s"} {
			if target := fmt.Sprintf(around, c); targets.Allows(target) {
				t.Errorf("%q is allowed", target)
			}
		}
	}
}

// RED4: a path that somebody on the way cleans becomes another one.
func TestRED4PathsThatCleaningWouldChangeAreRefused(t *testing.T) {
	targets, err := handlers.NewTargets(parse(app), "/.auth", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"/./a", "/a/./b", "/a/.", "/../a", "/a/..", "/a/.;x/b", "/a/..;/b", "/a/..;x=1/b", "/%2e/a", "/a/%2E%2e/b", "/a/%2e%2e;x/b", "/a%2f..%2fb", "/a//b", "//",
		"https://app.example/a/../b", "https://app.example/..;/b", "https://app.example//b",
	} {
		if targets.Allows(target) {
			t.Errorf("%q is allowed", target)
		}
	}
	for _, target := range []string{"/...", "/a/...", "/a.b/.well-known", "/a;x=1/b", "/a/;x", "/.a", "/a..b", "/a?x=/../b", "/a#/./b"} {
		if !targets.Allows(target) {
			t.Errorf("%q is refused", target)
		}
	}
}

// What leads back into our own routes would be a loop, or a logout.
func TestTargetsUnderOurOwnPrefixAreRefused(t *testing.T) {
	targets, err := handlers.NewTargets(parse(app), "/.auth", nil)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"/.auth": false, "/.auth/": false, "/.auth/me": false, "/.AUTH/logout": false, "/%2eauth/logout": false, "/.%61uth/logout": false, "/.auth%2flogout": false,
		"/.auth;x/logout": false, "https://app.example/.auth/logout": false, "/.auth?x": false, "/.auth#x": false,
		"/.authority": true, "/a/.auth/b": true, "/.auth-docs": true,
	} {
		if targets.Allows(target) != want {
			t.Errorf("%q: allowed %v", target, !want)
		}
	}
}

func TestAllowedRedirectsArePlacesAndNothingElse(t *testing.T) {
	for entry, want := range map[string]string{
		"https://partner.example":       "",
		"https://partner.example/":      "",
		"https://partner.example/path":  "",
		"https://Partner.Example:8443":  "",
		"http://localhost:3000":         "",
		"http://127.0.0.1:3000":         "",
		"myapp://easyauth.callback":     "",
		"http://partner.example":        "use https",
		"https://*.partner.example":     "no place to redirect to",
		"https://büro.example":          "no place to redirect to",
		"https://user@partner.example":  "no place to redirect to",
		"https://partner.example:08443": "no place to redirect to",
		"partner.example":               "no place to redirect to",
		"javascript://x":                "opens no application",
		"":                              "no place to redirect to",
	} {
		_, err := handlers.NewTargets(parse(app), "/.auth", []string{entry})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "handlers: AllowedRedirects: ") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", entry, err, want)
		}
	}
}

// F1.
func FuzzReturnPathStaysHome(f *testing.F) {
	for _, p := range corpus(f) {
		f.Add(p.target)
	}
	targets, err := handlers.NewTargets(parse(app), "/.auth", partners)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !targets.Allows(target) {
			return
		}
		if escapes(target) {
			t.Errorf("%q leads to %s", target, browserOrigin(app+"/.auth/login/aad/callback", target))
		}
		u, err := url.Parse(target)
		if err != nil {
			t.Fatalf("%q is allowed and no URL: %v", target, err)
		}
		if strings.HasPrefix(strings.ToLower(u.Path), "/.auth/") {
			t.Errorf("%q leads into our own routes", target)
		}
		if strings.ContainsAny(target, "\r\n\x00\\") {
			t.Errorf("%q is no header value", target)
		}
	})
}
