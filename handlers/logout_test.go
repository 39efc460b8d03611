package handlers_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestLogoutEndsTheSessionHereAndAtTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := newSite(t, setup{op: op})
		b := signedIn(t, s)
		old := s.visitor()
		for _, c := range b.Cookies(app) {
			old.cookies[c.Name] = c.Value
		}
		p, err := b.Follow("/.auth/logout")
		if err != nil {
			t.Fatal(err)
		}
		if p.URL.Path != "/.auth/logout/complete" || p.Status != 200 || !strings.Contains(string(p.Body), "You have been signed out") {
			t.Errorf("ended at %s: status %d, %s", p.URL, p.Status, p.Body)
		}
		var atProvider *url.URL
		for _, hop := range p.Hops {
			if hop.URL.Host == op.Host() {
				atProvider = hop.URL
			}
		}
		if atProvider == nil || atProvider.Query().Get("id_token_hint") == "" || atProvider.Query().Get("post_logout_redirect_uri") != app+"/.auth/logout/complete" {
			t.Errorf("at the provider: %v", atProvider)
		}
		if op.Stats().Revocations != 1 || op.Stats().LiveGrants != 0 {
			t.Errorf("the refresh token lives on: %+v", op.Stats())
		}
		if len(b.Cookies(app)) != 0 {
			t.Errorf("cookies left: %v", b.Cookies(app))
		}
		if s.sessionCount(old) != 0 { // SES3
			t.Error("the old cookie still works")
		}
		// The provider forgot the browser too: it asks again who is there.
		if p, err := b.Open(app + "/.auth/login/aad"); err != nil || len(p.Forms()) == 0 {
			t.Errorf("signed in again without asking: %v", err)
		}
	})
}

func TestLogoutLeadsToTheTargetByWayOfTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{}), config: handlers.Config{AllowedRedirects: partners},
			more: map[string]http.Handler{"partner.example": http.NotFoundHandler()}})
		for target, want := range map[string]string{
			"/bye?x=1":                  app + "/bye?x=1",
			"https://partner.example/x": "https://partner.example/x",
			"/":                         app + "/",
			"//evil.example":            app + "/",
		} {
			b := signedIn(t, s)
			p, err := b.Follow("/.auth/logout?post_logout_redirect_uri=" + url.QueryEscape(target))
			if err != nil {
				t.Fatal(err)
			}
			if p.URL.String() != want || len(b.Cookies(app)) != 0 {
				t.Errorf("%s: ended at %s with cookies %v", target, p.URL, b.Cookies(app))
			}
		}
	})
}

// RED10, and the modules rp-init-logout, -other-state and -no-state: whatever
// state comes back, the sign-out ends well, and only ours opens the target.
func TestRED10StateOfALogoutDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		for name, row := range map[string]struct {
			change func(url.Values)
			want   string
		}{
			"rp-init-logout":             {func(url.Values) {}, "/bye"},
			"rp-init-logout-other-state": {func(q url.Values) { q.Set("state", q.Get("state")+"_INVALID") }, ""},
			"rp-init-logout-no-state":    {func(q url.Values) { q.Del("state") }, ""},
			"state twice":                {func(q url.Values) { q.Add("state", q.Get("state")) }, ""},
			"state is a target":          {func(q url.Values) { q.Set("state", "//evil.example") }, ""},
			"target is in the answer":    {func(q url.Values) { q.Set("state", ""); q.Set("post_logout_redirect_uri", "//evil.example") }, ""},
		} {
			b := signedIn(t, s)
			v := s.visitor()
			for _, c := range b.Cookies(app) {
				v.cookies[c.Name] = c.Value
			}
			w := v.get("/.auth/logout?post_logout_redirect_uri=/bye")
			answer := url.Values{"state": {parse(w.Header().Get("Location")).Query().Get("state")}}
			row.change(answer)
			w = v.get("/.auth/logout/complete?" + answer.Encode())
			if got := w.Header().Get("Location"); got != row.want || row.want == "" && w.Code != 200 || s.sessionCount(v) != 0 {
				t.Errorf("%s: status %d, Location %q, want %q", name, w.Code, got, row.want)
			}
		}
	})
}

func TestRED10TamperedOrOldTargetOfALogoutIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		v := s.visitor()
		for _, c := range signedIn(t, s).Cookies(app) {
			v.cookies[c.Name] = c.Value
		}
		w := v.get("/.auth/logout?post_logout_redirect_uri=/bye")
		state := parse(w.Header().Get("Location")).Query().Get("state")
		tampered, old := v.clone(), v.clone()
		value := []byte(tampered.cookies["__Host-easyauth-logout"])
		value[len(value)/2] ^= 1
		tampered.cookies["__Host-easyauth-logout"] = string(value)
		if w := tampered.get("/.auth/logout/complete?state=" + state); w.Code != 200 {
			t.Errorf("tampered: status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
		golden(t, "logoutcookie.golden", strings.Join(setCookies(w), "\n")+"\n"+strings.Join(setCookies(v.get("/.auth/logout/complete?state="+state)), "\n")+"\n")
		time.Sleep(11 * time.Minute)
		if w := old.get("/.auth/logout/complete?state=" + state); w.Code != 200 {
			t.Errorf("after 11 minutes: status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
	})
}

func TestRED11TargetOfALogoutIsJudgedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		older := newSite(t, setup{op: op, config: handlers.Config{AllowedRedirects: partners}})
		newer := newSite(t, setup{op: op, shared: older.counting})
		v := older.visitor()
		for _, c := range signedIn(t, older).Cookies(app) {
			v.cookies[c.Name] = c.Value
		}
		w := v.get("/.auth/logout?post_logout_redirect_uri=https://partner.example/x")
		v.to = newer
		w = v.get("/.auth/logout/complete?state=" + parse(w.Header().Get("Location")).Query().Get("state"))
		if got := w.Header().Get("Location"); got != "/" {
			t.Errorf("Location %q of a partner that is no longer on the list", got)
		}
	})
}

func TestCSR1CSR2LogoutCausedByAnotherSite(t *testing.T) {
	const site, dest, mode = "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode"
	for name, row := range map[string]struct {
		method  string
		headers []string
		status  int // 200: asked first; 302, 303: signed out
	}{
		"image":                   {"GET", []string{site, "cross-site", dest, "image", mode, "no-cors"}, 403},
		"frame":                   {"GET", []string{site, "cross-site", dest, "iframe", mode, "navigate"}, 403},
		"script":                  {"GET", []string{site, "cross-site", dest, "empty", mode, "cors", "Origin", "https://evil.example"}, 403},
		"script, older browser":   {"GET", []string{"Origin", "https://evil.example", "Accept", "*/*"}, 403},
		"sibling's image":         {"GET", []string{site, "same-site", dest, "image", mode, "no-cors"}, 403},
		"link":                    {"GET", []string{site, "cross-site", dest, "document", mode, "navigate"}, 200},
		"sibling's link":          {"GET", []string{site, "same-site", dest, "document", mode, "navigate"}, 200},
		"form":                    {"POST", []string{site, "cross-site", dest, "document", mode, "navigate", "Origin", "https://evil.example"}, 403},
		"form, older browser":     {"POST", []string{"Origin", "https://evil.example"}, 403},
		"form, Origin: null":      {"POST", []string{"Origin", "null"}, 403},
		"sibling's form":          {"POST", []string{"Origin", "https://evil.app.example"}, 403},
		"own prefetch":            {"GET", []string{site, "same-origin", dest, "document", mode, "navigate", "Sec-Purpose", "prefetch"}, 403},
		"own link":                {"GET", []string{site, "same-origin", dest, "document", mode, "navigate"}, 302},
		"address bar":             {"GET", []string{site, "none", dest, "document", mode, "navigate"}, 302},
		"own form":                {"POST", []string{site, "same-origin", dest, "document", mode, "navigate", "Origin", app}, 303},
		"own form, older browser": {"POST", []string{"Origin", app}, 303},
		"own script":              {"POST", []string{site, "same-origin", dest, "empty", mode, "cors", "Origin", app}, 303},
		"program (contract: GET)": {"GET", nil, 302},
		"program with POST":       {"POST", nil, 303},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{})
				v := s.visitor()
				v.signIn(t, "alice")
				w := v.do(v.request(row.method, "/.auth/logout?post_logout_redirect_uri=/bye", row.headers...))
				over := row.status == 302 || row.status == 303
				if w.Code != row.status || s.sessionCount(v) != map[bool]int{true: 0, false: 1}[over] || len(w.Result().Cookies()) > 0 != over {
					t.Errorf("status %d, want %d; sessions %d; Set-Cookie %v", w.Code, row.status, s.sessionCount(v), w.Result().Cookies())
				}
				if over && w.Header().Get("Location") != "/bye" {
					t.Errorf("Location %q", w.Header().Get("Location"))
				}
			})
		})
	}
}

// CSR1: the page that asks works for who answers it.
func TestLinkOnAnotherSiteAsksBeforeItSignsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elsewhere := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/html") })
		s := newSite(t, setup{op: providertest.New(providertest.Config{}), more: map[string]http.Handler{"evil.example": elsewhere}})
		b := signedIn(t, s)
		if _, err := b.Open("https://evil.example/"); err != nil {
			t.Fatal(err)
		}
		p, err := b.Follow(app + "/.auth/logout?post_logout_redirect_uri=/bye")
		if err != nil || len(p.Forms()) != 1 {
			t.Fatalf("no question: %v", err)
		}
		golden(t, "confirm.golden.html", string(p.Body))
		if got := fetch(t, b, http.MethodGet, "/").Body; string(got) != "sub-alice" {
			t.Fatalf("signed out before the answer: %s", got)
		}
		if p, err = b.Submit(p.Forms()[0]); err != nil {
			t.Fatal(err)
		}
		if p.URL.String() != app+"/bye" || string(p.Body) != "nobody" {
			t.Errorf("ended at %s: %s", p.URL, p.Body)
		}
	})
}

func TestSES5LogoutWhileTheStoreIsDown(t *testing.T) {
	for name, fail := range map[string]func(*site){
		"down":           func(s *site) { s.faulty.Fail(errors.New("down")) },
		"refuses writes": func(s *site) { s.faulty.RefuseWrites(errors.New("read-only")) },
		"hangs":          func(s *site) { s.faulty.Hang() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{op: providertest.New(providertest.Config{})})
				v := s.visitor()
				for _, c := range signedIn(t, s).Cookies(app) {
					v.cookies[c.Name] = c.Value
				}
				fail(s)
				for _, path := range []string{"/.auth/logout", "/.auth/logout?post_logout_redirect_uri=/bye"} {
					w := v.get(path, program...)
					if w.Code != 503 || reason(t, w) != "store_unavailable" || w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) != 0 {
						t.Errorf("status %d, %v", w.Code, w.Header())
					}
				}
				s.faulty.Heal()
				if s.sessionCount(v) != 1 {
					t.Error("the session is gone although nobody said so")
				}
				if w := v.get("/.auth/logout"); w.Code != 302 || s.sessionCount(v) != 0 {
					t.Errorf("afterwards: status %d", w.Code)
				}
			})
		})
	}
}

func TestLogoutWithoutASessionStillEndsWell(t *testing.T) {
	s := newSite(t, setup{})
	for path, want := range map[string]string{
		"/.auth/logout": "/.auth/logout/complete",
		"/.auth/logout?post_logout_redirect_uri=/bye": "/bye",
		"/.auth/logout?post_logout_redirect_url=/bye": "/bye",
	} {
		v := s.visitor()
		v.cookies["__Host-easyauth"] = strings.Repeat("A", 43)
		w := v.get(path)
		if w.Code != 302 || w.Header().Get("Location") != want || len(v.cookies) != 0 {
			t.Errorf("%s: status %d, Location %q, cookies %v", path, w.Code, w.Header().Get("Location"), v.cookies)
		}
	}
	for _, path := range []string{"/.auth/logout/complete", "/.auth/logout/done"} {
		w := s.visitor().get(path)
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		golden(t, "complete.golden.html", w.Body.String())
	}
}

func TestSignedOutIsNotToldToWhoIsSignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		if w := v.get("/.auth/logout/complete"); w.Code != 302 || w.Header().Get("Location") != "/" {
			t.Errorf("status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
	})
}

func TestLogoutTakesItsTargetFromAFormToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		for name, row := range map[string]struct {
			query       string
			form        url.Values
			contentType string
			status      int
			location    string
		}{
			"form":             {"", url.Values{"post_logout_redirect_uri": {"/bye"}}, "", 303, "/bye"},
			"query":            {"?post_logout_redirect_uri=/bye", url.Values{}, "", 303, "/bye"},
			"both (RED12)":     {"?post_logout_redirect_uri=/bye", url.Values{"post_logout_redirect_uri": {"/bye"}}, "", 400, ""},
			"form leads away":  {"", url.Values{"post_logout_redirect_uri": {"//evil.example"}}, "", 303, "/"},
			"not a form":       {"", url.Values{}, "application/json", 415, ""},
			"too large a form": {"", url.Values{"x": {strings.Repeat("x", 64<<10)}}, "", 413, ""},
		} {
			v := s.visitor()
			v.signIn(t, "alice")
			headers := []string{"Origin", app}
			if row.contentType != "" {
				headers = append(headers, "Content-Type", row.contentType)
			}
			w := v.post("/.auth/logout"+row.query, row.form, headers...)
			if w.Code != row.status || w.Header().Get("Location") != row.location || s.sessionCount(v) != map[bool]int{true: 0, false: 1}[row.status == 303] {
				t.Errorf("%s: status %d, Location %q", name, w.Code, w.Header().Get("Location"))
			}
		}
	})
}

func TestLogoutOfAProviderThatIsDownIsALogoutHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := newSite(t, setup{op: op})
		v := s.visitor()
		for _, c := range signedIn(t, s).Cookies(app) {
			v.cookies[c.Name] = c.Value
		}
		op.Fail(providertest.Everything, providertest.Fault{Down: true})
		start := time.Now()
		w := v.get("/.auth/logout")
		if w.Code != 302 || s.sessionCount(v) != 0 {
			t.Errorf("status %d", w.Code)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
