package handlers_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
)

const callbackPath = "/.auth/login/aad/callback"

// wantRefused is the observable 400e: a fixed text, nothing of the request in
// it, no session, no other attempt touched, and no code spent.
func wantRefused(t *testing.T, s *site, v *visitor, w *httptest.ResponseRecorder, why string) {
	t.Helper()
	if got := reason(t, w); got != why {
		t.Errorf("reason %s, want %s", got, why)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the answer may be cached")
	}
	if s.sessionCount(v) != 0 {
		t.Error("signed in")
	}
	if s.stub.calls() != 0 {
		t.Errorf("%d codes spent", s.stub.calls())
	}
}

func TestLOG1CallbackWithoutTheAttemptsCookie(t *testing.T) {
	s := newSite(t, setup{})
	state := s.visitor().begin(t, "/.auth/login/aad")
	v := s.visitor()
	wantRefused(t, s, v, v.get(callbackPath+"?code=alice&state="+state, program...), "attempt_unknown")
}

func TestLOG2AttackersResponseInTheVictimsBrowser(t *testing.T) {
	s := newSite(t, setup{})
	attackers := s.visitor().begin(t, "/.auth/login/aad")
	victim := s.visitor()
	victim.begin(t, "/.auth/login/aad") // one of her own is under way
	wantRefused(t, s, victim, victim.get(callbackPath+"?code=mallory&state="+attackers, program...), "attempt_unknown")
	if len(victim.flows()) != 1 {
		t.Error("the victim's own attempt is gone")
	}
}

func TestLOG3ParametersThatContradictThemselves(t *testing.T) {
	for _, row := range []struct{ name, query, why string }{
		{"state missing", "code=alice", "attempt_unknown"},
		{"state empty", "code=alice&state=", "attempt_unknown"},
		{"state twice", "code=alice&state=STATE&state=STATE", "bad_request"},
		{"code twice", "code=alice&code=bob&state=STATE", "bad_request"},
		{"error twice", "error=a&error=b&state=STATE", "bad_request"},
		{"iss twice", "code=alice&state=STATE&iss=a&iss=b", "bad_request"},
		{"anything twice", "code=alice&state=STATE&x=1&x=2", "bad_request"},
		{"semicolon as separator", "code=alice;state=STATE", "bad_request"},
		{"malformed", "code=%zz&state=STATE", "bad_request"},
		{"64 KiB and one byte", "state=STATE&code=" + strings.Repeat("c", 64<<10), "bad_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t, setup{})
			v := s.visitor()
			state := v.begin(t, "/.auth/login/aad")
			w := v.get(callbackPath+"?"+strings.ReplaceAll(row.query, "STATE", state), program...)
			wantRefused(t, s, v, w, row.why)
			if len(v.flows()) != 1 {
				t.Error("the attempt's cookie was touched")
			}
			if w := v.get(callbackPath + "?code=alice&state=" + state); w.Code != http.StatusFound {
				t.Errorf("the honest answer afterwards: status %d", w.Code)
			}
		})
	}
}

func TestLOG8LoginCannotBeFinishedInAnotherBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		beginner, other := s.visitor(), s.visitor()
		state := beginner.begin(t, "/.auth/login/aad")
		wantRefused(t, s, other, other.get(callbackPath+"?code=victim&state="+state, program...), "attempt_unknown")
		if w := beginner.get(callbackPath + "?code=alice&state=" + state); w.Code != http.StatusFound {
			t.Errorf("in the browser that began it: status %d", w.Code)
		}
	})
}

func TestLOG11StateIsGoodForTenMinutes(t *testing.T) {
	for name, row := range map[string]struct {
		after time.Duration
		why   string
	}{
		"10 min":       {10 * time.Minute, ""},
		"10 min + 1 s": {10*time.Minute + time.Second, "attempt_expired"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, setup{})
			v := s.visitor()
			state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=/x")
			time.Sleep(row.after)
			w := v.get(callbackPath+"?code=alice&state="+state, program...)
			if row.why == "" {
				if w.Code != http.StatusFound {
					t.Errorf("%s: status %d", name, w.Code)
				}
				return
			}
			if w.Code != http.StatusFound || w.Header().Get("Location") != app+"/.auth/login/aad?post_login_redirect_uri=%2Fx" || s.sessionCount(v) != 0 {
				t.Errorf("not begun again: status %d, Location %q", w.Code, w.Header().Get("Location"))
			}
			state = v.begin(t, w.Header().Get("Location"))
			time.Sleep(row.after)
			w = v.get(callbackPath+"?code=alice&state="+state, program...)
			wantRefused(t, s, v, w, row.why)
			if !strings.Contains(w.Body.String(), `"login_url":"https://app.example/.auth/login/aad?post_login_redirect_uri=%2Fx"`) {
				t.Errorf("no way to begin again in %s", w.Body)
			}
			if len(v.flows()) != 0 {
				t.Error("the dead attempt's cookie stays")
			}
		})
	}
}

func TestLOG12ErrorWithAnUnknownStateLeavesOtherTabsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		wantRefused(t, s, v, v.get(callbackPath+"?error=access_denied&state=unknown", program...), "attempt_unknown")
		if w := v.get(callbackPath + "?code=alice&state=" + state); w.Code != http.StatusFound {
			t.Errorf("the other tab: status %d", w.Code)
		}
	})
}

func TestLOG14PostedCallbackTakesASmallFormAndNothingElse(t *testing.T) {
	for _, row := range []struct {
		name, contentType, body, why string
	}{
		{"no content type", "none", "code=alice&state=STATE", "unsupported_media_type"},
		{"odd content type", "application/x-www-form-urlencoded; charset=\"", "code=alice&state=STATE", "unsupported_media_type"},
		{"multipart", "multipart/form-data; boundary=x", "--x\r\n", "unsupported_media_type"},
		{"JSON", "application/json", "{}", "unsupported_media_type"},
		{"text/plain", "text/plain", "code=alice&state=STATE", "unsupported_media_type"},
		{"10 MB", "", strings.Repeat("a", 10<<20), "too_large"},
		{"one byte more than 64 KiB", "", strings.Repeat("a", 64<<10+1), "too_large"},
		{"malformed", "", "code=%zz", "bad_request"},
		{"code twice", "", "code=a&code=b&state=STATE", "bad_request"},
		{"code in the query, not in the form", "", "state=STATE", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{stub: &stub{name: "aad", formPost: true}})
				v := s.visitor()
				state := v.begin(t, "/.auth/login/aad")
				read := &countingReader{r: strings.NewReader(strings.ReplaceAll(row.body, "STATE", state))}
				r := httptest.NewRequest(http.MethodPost, app+callbackPath+"?code=query&state="+state, read)
				r.Header = v.request(http.MethodGet, "/", program...).Header
				switch row.contentType {
				case "":
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				case "none":
				default:
					r.Header.Set("Content-Type", row.contentType)
				}
				w := v.do(r)
				if row.why == "" { // the stub names the user after the code it was given
					if s.stub.calls() != 1 || s.user(v.request(http.MethodGet, "/")) == "query" {
						t.Error("a POST was answered from its query")
					}
					return
				}
				wantRefused(t, s, v, w, row.why)
				if read.n > 64<<10+4096 {
					t.Errorf("%d bytes read", read.n)
				}
			})
		})
	}
}

type countingReader struct {
	r *strings.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestLOG16SigningInAsAnotherUserEndsTheFirstSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		alices := v.clone()
		v.signIn(t, "bob")
		if got := s.user(v.request(http.MethodGet, "/")); got != "bob" {
			t.Errorf("signed in as %s", got)
		}
		if alices.cookies["__Host-easyauth"] == v.cookies["__Host-easyauth"] {
			t.Error("the cookie value is the old one (SES2)")
		}
		if s.sessionCount(alices) != 0 {
			t.Error("alice's session lives on")
		}
	})
}

func TestSES1InventedSessionIDNeverBecomesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		invented := strings.Repeat("A", 43)
		v.cookies["__Host-easyauth"] = invented
		v.signIn(t, "alice")
		attacker := s.visitor()
		attacker.cookies["__Host-easyauth"] = invented
		if v.cookies["__Host-easyauth"] == invented || s.sessionCount(attacker) != 0 {
			t.Error("the invented id is a session")
		}
	})
}

func TestMIX1ResponseOfOneProviderAtTheCallbackOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &stub{name: "a"}, &stub{name: "b"}
		s := newSite(t, setup{providers: []providers.Provider{a, b}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/a")
		wantRefused(t, s, v, v.get("/.auth/login/b/callback?code=alice&state="+state, program...), "attempt_unknown")
		if a.calls()+b.calls() != 0 {
			t.Errorf("codes spent: %d at a, %d at b", a.calls(), b.calls())
		}
		if w := v.get("/.auth/login/a/callback?code=alice&state=" + state); w.Code != http.StatusFound {
			t.Errorf("at its own callback: status %d", w.Code)
		}
	})
}

func TestREP1SameCallbackTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=/x")
		replayer := v.clone() // keeps the attempt's cookie, unlike an honest browser
		url := callbackPath + "?code=alice&state=" + state
		v.get(url)

		if w := v.get(url); w.Code != http.StatusFound || w.Header().Get("Location") != "/" {
			t.Errorf("reloaded by who is signed in: status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
		withCookie := v.clone()
		withCookie.cookies = replayer.cookies
		withCookie.cookies["__Host-easyauth"] = v.cookies["__Host-easyauth"]
		if w := withCookie.clone().get(url); w.Code != http.StatusFound || w.Header().Get("Location") != "/x" {
			t.Errorf("with the attempt's cookie too: status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
		delete(replayer.cookies, "__Host-easyauth")
		w := replayer.get(url, program...)
		if reason(t, w) != "attempt_used" || s.sessionCount(replayer) != 0 {
			t.Errorf("replayed without the session: status %d", w.Code)
		}
		if s.stub.calls() != 1 {
			t.Errorf("%d codes spent", s.stub.calls())
		}
	})
}

func TestREP2FiftyCopiesOfOneCallbackOnFourReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stub{name: "aad", took: 100 * time.Millisecond}
		replicas := []*site{newSite(t, setup{stub: p})}
		for range 3 {
			replicas = append(replicas, newSite(t, setup{stub: p, shared: replicas[0].counting}))
		}
		v := replicas[0].visitor()
		state := v.begin(t, "/.auth/login/aad")
		var wg sync.WaitGroup
		copies := make([]*visitor, 50)
		for i := range copies {
			copies[i] = v.clone()
			copies[i].to = replicas[i%4]
			wg.Go(func() { copies[i].get(callbackPath + "?code=alice&state=" + state) })
		}
		wg.Wait()
		if n := replicas[0].sessionCount(copies...); p.calls() != 1 || n != 1 {
			t.Errorf("%d codes spent, %d sessions", p.calls(), n)
		}
	})
}

func TestREP3SameStateWithAnotherCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		replayer := v.clone()
		v.get(callbackPath + "?code=alice&state=" + state)
		if w := replayer.get(callbackPath+"?code=stolen&state="+state, program...); reason(t, w) != "attempt_used" || s.stub.calls() != 1 {
			t.Errorf("status %d, %d codes spent", w.Code, s.stub.calls())
		}
	})
}

func TestREP4CodeIsInNoPageAndNoReferrer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, failure := range []error{nil, &providers.Error{Provider: "aad", Op: "exchange", Kind: providers.Invalid}} {
			s := newSite(t, setup{stub: &stub{name: "aad", failure: failure}})
			v := s.visitor()
			state := v.begin(t, "/.auth/login/aad")
			w := v.get(callbackPath + "?code=the-secret-code&state=" + state)
			if w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Error("the address may be told to others")
			}
			if failure == nil && w.Code != http.StatusFound {
				t.Errorf("status %d, want a redirect", w.Code)
			}
			all := w.Body.String() + w.Header().Get("Location") + s.logs.String()
			if strings.Contains(all, "the-secret-code") || strings.Contains(all, state) {
				t.Errorf("the code or the state shows in %s", all)
			}
		}
	})
}

func TestFailuresOfTheProviderSayWhoIsToBlame(t *testing.T) {
	fault := func(k providers.Kind) error { return &providers.Error{Provider: "aad", Op: "exchange", Kind: k} }
	for _, row := range []struct {
		name       string
		failure    error
		status     int
		why        string
		retryAfter string
	}{
		{"denied", fault(providers.Denied), 403, "sign_in_denied", ""},
		{"interaction", fault(providers.Interaction), 403, "sign_in_denied", ""},
		{"invalid", fault(providers.Invalid), 400, "sign_in_invalid", ""},
		{"mismatch", fault(providers.Mismatch), 400, "sign_in_invalid", ""},
		{"code revoked", fault(providers.Revoked), 400, "sign_in_invalid", ""},
		{"busy", fault(providers.Busy), 503, "provider_unavailable", "5"},
		{"busy, and says how long", &providers.Error{Kind: providers.Busy, RetryAfter: 90 * time.Second}, 503, "provider_unavailable", "90"},
		{"gateway", fault(providers.Gateway), 503, "provider_unavailable", "5"},
		{"unknown outcome", fault(providers.Unknown), 503, "provider_unavailable", "5"},
		{"not sent", fault(providers.NotSent), 503, "provider_unavailable", "5"},
		{"unready", fault(providers.Unready), 503, "provider_unavailable", "5"},
		{"misconfigured", fault(providers.Misconfigured), 502, "provider_misconfigured", ""},
		{"not one of ours", errors.New("boom"), 503, "provider_unavailable", "5"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{stub: &stub{name: "aad", failure: row.failure}})
				v := s.visitor()
				again := v.clone()
				state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=/x")
				w := v.get(callbackPath+"?code=alice&state="+state, program...)
				if w.Code != row.status || reason(t, w) != row.why || w.Header().Get("Retry-After") != row.retryAfter {
					t.Errorf("status %d %s, Retry-After %q", w.Code, reason(t, w), w.Header().Get("Retry-After"))
				}
				if !strings.Contains(w.Body.String(), "/.auth/login/aad?post_login_redirect_uri=%2Fx") {
					t.Errorf("a dead end : %s", w.Body)
				}
				if s.sessionCount(v) != 0 || len(v.flows()) != 0 {
					t.Error("a session, or the spent attempt, is left")
				}
				if got := strings.Count(s.logs.String(), "sign-in refused"); got != 1 || !strings.Contains(s.logs.String(), "reason="+row.why) {
					t.Errorf("%d records of the outcome: %s", got, s.logs)
				}
				// A page never loads the spent callback again by itself.
				state = again.begin(t, "/.auth/login/aad")
				if page := again.get(callbackPath + "?code=alice&state=" + state); page.Header().Get("Refresh") != "" {
					t.Error("the page repeats the callback")
				}
			})
		})
	}
}

func TestStoreThatIsDownRefusesTheSignInAndKeepsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		s.faulty.Fail(errors.New("connection refused by 10.0.0.7"))
		w := v.get(callbackPath+"?code=alice&state="+state, program...)
		wantRefused(t, s, v, w, "store_unavailable")
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "10.0.0.7") {
			t.Errorf("status %d, body %s", w.Code, w.Body)
		}
		s.faulty.Heal()
		if w := v.get(callbackPath + "?code=alice&state=" + state); w.Code != http.StatusFound {
			t.Errorf("loaded again: status %d", w.Code)
		}
	})
}

func TestFormPostIsAnsweredWith303(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{stub: &stub{name: "aad", formPost: true}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=/x")
		w := v.post(callbackPath, url.Values{"code": {"alice"}, "state": {state}},
			"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", "https://op.example")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/x" || s.sessionCount(v) != 1 {
			t.Errorf("status %d, Location %q", w.Code, w.Header().Get("Location"))
		}
	})
}

func TestStrictCookieLoginEndsOnAPageOfOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{config: handlers.Config{StrictCookie: true}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad?post_login_redirect_uri=/a%20b?c%3Dd")
		w := v.get(callbackPath + "?code=alice&state=" + state)
		next := w.Header().Get("Location")
		if w.Code != http.StatusFound || !strings.HasPrefix(next, "/.auth/login/aad/done?") {
			t.Fatalf("status %d, Location %q", w.Code, next)
		}
		for target, want := range map[string]string{
			next: "", // a space is no target
			"/.auth/login/aad/done?post_login_redirect_uri=/a%3Fb":         "/a?b",
			"/.auth/login/aad/done?post_login_redirect_uri=/%E4%BD%A0":     "/%E4%BD%A0",
			"/.auth/login/aad/done?post_login_redirect_uri=//evil.example": "/",
			"/.auth/login/aad/done": "/",
		} {
			w := v.get(target)
			if want == "" {
				want = "/"
			}
			if got := w.Header().Get("Refresh"); w.Code != 200 || got != "0; url="+want || !strings.Contains(w.Body.String(), `href="`) {
				t.Errorf("%s: status %d, Refresh %q, want %s", target, w.Code, got, want)
			}
		}
	})
	if w := newSite(t, setup{}).visitor().get("/.auth/login/aad/done"); w.Code != http.StatusNotFound {
		t.Errorf("without a strict cookie: status %d", w.Code)
	}
}

// F2: no query makes the callback panic, reflect, spend a code, or sign in.
func FuzzCallbackQuery(f *testing.F) {
	for _, query := range []string{"code=a&state=b", "state=STATE&code=a&code=b", "error=x&error_description=<script>", "%", "state=%00", "a;b", strings.Repeat("&", 100)} {
		f.Add(query)
	}
	s := newSite(f, setup{})
	v := s.visitor()
	v.begin(f, "/.auth/login/aad")
	f.Fuzz(func(t *testing.T, query string) {
		r := v.request(http.MethodGet, callbackPath)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || len(w.Result().Cookies()) != 0 || s.stub.calls() != 0 {
			t.Errorf("%q: status %d, cookies %v", query, w.Code, w.Result().Cookies())
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%q is reflected", query)
		}
	})
}
