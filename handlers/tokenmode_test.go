package handlers_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

const end = app + "/.auth/login/done"

func TestContract13TokenModeEndsWithTheTokenInTheFragment(t *testing.T) {
	var random strings.Builder // for what does not compress
	for random.Len() < 8<<10 {
		random.WriteString(rand.Text())
	}
	for name, row := range map[string]struct{ query, end string }{
		"without a target":                      {"", end},
		"path of the application":               {"&post_login_redirect_url=/a?b=c%23d", "/a?b=c"},
		"origin of the list":                    {"&post_login_redirect_uri=https://spa.example/in?x=y", "https://spa.example/in?x=y"},
		"origin of the list, no path":           {"&post_login_redirect_uri=https://spa.example", "https://spa.example/"},
		"page of the list":                      {"&post_login_redirect_uri=https://paged.example/end?x", "https://paged.example/end?x"},
		"application on a device":               {"&post_login_redirect_url=myapp://easyauth.callback", "myapp://easyauth.callback/"},
		"not allowed":                           {"&post_login_redirect_uri=https://evil.example/", end},
		"not allowed page":                      {"&post_login_redirect_uri=https://paged.example/", end},
		"not allowed scheme":                    {"&post_login_redirect_uri=other://easyauth.callback", end},
		"not allowed, and larger than a cookie": {"&post_login_redirect_uri=https://evil.example/" + random.String(), end},
		"script (RED8)":                         {"&post_login_redirect_uri=javascript:alert(1)", end},
		"our own routes":                        {"&post_login_redirect_uri=/.auth/logout", end},
		"end of the Windows broker ignored":     {"&sso_end_uri=ms-app://s-1-15", end},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tokenSite(t, setup{})
				v := s.visitor()
				w := land(t, v, "/.auth/login/aad?session_mode=token"+row.query)
				signedInBy(t, s, fragmentOf(t, w, row.end, "token"), "alice")
				if len(v.cookies) != 0 || s.user(v.request("GET", "/")) != "nobody" {
					t.Errorf("cookies %v are left", v.cookies)
				}
				for name := range s.stub.params[0] {
					t.Errorf("the provider got the parameter %s", name)
				}
			})
		})
	}
}

// RFC 9700 section 4.1.2: browsers carry a fragment over a redirect. A site that
// finds a page of ours which redirects must not be able to have a token arrive there,
// nor a code for a challenge of its own.
func TestRED5ForeignLinkDoesNotChooseThePageAtWhichATokenArrives(t *testing.T) {
	const out = "/out?to=https://evil.example/"
	for name, row := range map[string]struct {
		site, target string
		at           string
	}{
		"a page of ours":                      {"same-origin", out, out},
		"the address bar":                     {"none", out, out},
		"a program":                           {"", out, out},
		"another site":                        {"cross-site", out, end},
		"another site, by its whole address":  {"cross-site", app + out, end},
		"a sibling":                           {"same-site", out, end},
		"a partner, which wants it at home":   {"cross-site", spa + "/in", spa + "/in"},
		"another site, for the device's app ": {"cross-site", callback, callback + "/"},
	} {
		for kind, query := range map[string]string{"token": "session_mode=token", "authorization_code": "code_challenge_method=S256&code_challenge=" + strings.Repeat("A", 43)} {
			t.Run(name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := tokenSite(t, setup{})
					v := s.visitor()
					w := v.get("/.auth/login/aad?"+query+"&post_login_redirect_uri="+url.QueryEscape(row.target), "Sec-Fetch-Site", row.site)
					state := parse(w.Header().Get("Location")).Query().Get("state")
					fragmentOf(t, v.get(callbackPath+"?code=alice&state="+state), row.at, kind)
				})
			})
		}
	}
}

func TestContract13TokenModeLeavesTheSessionOfTheBrowserAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "bob")
		land(t, v, "/.auth/login/aad?session_mode=token")
		if got := s.user(v.request("GET", "/")); got != "bob" {
			t.Errorf("the browser is signed in as %s", got)
		}
	})
}

func TestContract11OtherSessionModesAreCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		for _, query := range []string{"", "?session_mode=cookie", "?session_mode=", "?session_mode=TOKEN"} {
			v := s.visitor()
			if w := land(t, v, "/.auth/login/aad"+query); w.Header().Get("Location") != "/" || s.sessionCount(v) != 1 {
				t.Errorf("%q: Location %q", query, w.Header().Get("Location"))
			}
		}
		for _, query := range []string{"session_mode=token&session_mode=cookie", "completion_type=postMessage", "completion_type=carrierPigeon&completion_origin=" + spa,
			"code_challenge=&code_challenge_method=S256", "session_mode=token&code_challenge_method=S256", "code_challenge=x&code_challenge_method=S256", "code_challenge=AAAA&code_challenge_method=S256", "code_challenge=" + strings.Repeat("A", 43), "code_challenge=" + strings.Repeat("A", 43) + "&code_challenge_method=plain"} {
			if w := s.visitor().get("/.auth/login/aad?"+query, program...); w.Code != http.StatusBadRequest {
				t.Errorf("%q: status %d", query, w.Code)
			}
		}
	})
}

func TestTokenModeWithoutSigningKeysIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		for _, query := range []string{"session_mode=token", "completion_type=postMessage&completion_origin=" + app} {
			if w := s.visitor().get("/.auth/login/aad?"+query, program...); w.Code != http.StatusNotFound || s.stub.params != nil {
				t.Errorf("%q: status %d", query, w.Code)
			}
		}
		if w := s.program("POST", "/.auth/login/aad", `{"access_token":"a"}`); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("client's sign-in: status %d", w.Code)
		}
		if w := s.program("GET", "/.auth/login/aad/token?authorization_code=a&code_verifier=b", ""); w.Code != http.StatusNotFound {
			t.Errorf("exchange: status %d", w.Code)
		}
	})
}

func TestContract13ErrorsOfTokenModeAreInTheFragment(t *testing.T) {
	for name, row := range map[string]struct {
		failure error
		query   string
		text    string
		at      string
	}{
		"declined":            {failure: &providers.Error{Kind: providers.Denied}, text: "The sign-in was cancelled or your provider declined it."},
		"forged":              {failure: &providers.Error{Kind: providers.Invalid}, text: "The provider's answer could not be accepted. Please start again."},
		"not allowed":         {failure: &providers.Error{Kind: providers.NotAllowed}, text: "You are signed in, but your account may not see this."},
		"silent":              {failure: &providers.Error{Kind: providers.Interaction}, query: "&prompt=none", text: "The sign-in was cancelled or your provider declined it."},
		"target of a partner": {failure: &providers.Error{Kind: providers.Denied}, query: "&post_login_redirect_uri=" + spa + "/in", text: "The sign-in was cancelled or your provider declined it.", at: spa + "/in"},
		"application on a device, which is opened": {failure: &providers.Error{Kind: providers.Denied}, query: "&post_login_redirect_url=" + callback +
			"&code_challenge=" + strings.Repeat("A", 43) + "&code_challenge_method=S256", text: "The sign-in was cancelled or your provider declined it.", at: callback + "/"},
		"target that is not allowed": {failure: &providers.Error{Kind: providers.Denied}, query: "&post_login_redirect_uri=https://evil.example/", text: "The sign-in was cancelled or your provider declined it."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tokenSite(t, setup{stub: &stub{name: "aad", failure: row.failure}})
				w := land(t, s.visitor(), "/.auth/login/aad?session_mode=token"+row.query)
				if got := fragmentOf(t, w, cmp.Or(row.at, end), "error"); got != row.text {
					t.Errorf("error %q, want %q", got, row.text)
				}
			})
		})
	}
}

// The store fails after the code was spent: there is no way back.
func TestContract13StoreThatFailsEndsTokenModeWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &stub{name: "aad"}
		s := tokenSite(t, setup{stub: in})
		in.then = func() { s.faulty.Fail(errors.New("connection refused")) }
		w := land(t, s.visitor(), "/.auth/login/aad?session_mode=token")
		if got := fragmentOf(t, w, end, "error"); !strings.Contains(got, "try again") {
			t.Errorf("error %q", got)
		}
	})
}

// envelope is what the page of a popup sends, and to whom.
func envelope(t *testing.T, page string) (message map[string]json.RawMessage, origin string) {
	t.Helper()
	attribute := func(name string) string {
		_, rest, found := strings.Cut(page, " data-"+name+`="`)
		value, _, closed := strings.Cut(rest, `"`)
		if !found || !closed {
			t.Fatalf("no %s in %s", name, page)
		}
		return html.UnescapeString(value)
	}
	if err := json.Unmarshal([]byte(attribute("text")), &message); err != nil {
		t.Fatal(err)
	}
	return message, attribute("origin")
}

func TestContract16PopupHandsTheTokenToTheAllowedOriginOnly(t *testing.T) {
	for _, kind := range []string{"postMessage", "iframe"} {
		for _, from := range []string{spa, app, "https://paged.example"} {
			synctest.Test(t, func(t *testing.T) {
				s := tokenSite(t, setup{})
				v := s.visitor()
				w := land(t, v, "/.auth/login/aad?session_mode=token&completion_type="+kind+"&completion_origin="+url.QueryEscape(from))
				message, origin := envelope(t, w.Body.String())
				if w.Code != 200 || origin != from || string(message["type"]) != `"LoginCompleted"` || message["error"] != nil || len(message) != 2 {
					t.Errorf("status %d, to %q: %v", w.Code, origin, message)
				}
				signedInBy(t, s, string(message["oauth"]), "alice")
				if len(v.cookies) != 0 {
					t.Errorf("cookies %v are left", v.cookies)
				}
				policy := w.Header().Get("Content-Security-Policy")
				if !strings.Contains(policy, "script-src 'sha256-") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
					t.Errorf("policy %q", policy)
				}
			})
		}
	}
}

func TestContract16PopupTellsItsOpenerOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{stub: &stub{name: "aad", failure: &providers.Error{Kind: providers.Denied}}})
		w := land(t, s.visitor(), "/.auth/login/aad?session_mode=token&completion_type=postMessage&completion_origin="+spa)
		message, origin := envelope(t, w.Body.String())
		if origin != spa || string(message["type"]) != `"LoginCompleted"` || message["oauth"] != nil || !strings.Contains(string(message["error"]), "declined") {
			t.Errorf("to %q: %v", origin, message)
		}
	})
}

func TestContract16ForeignCompletionOriginIs403InThePopup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		for _, from := range []string{"https://evil.example", "https://spa.example/", "https://spa.example.evil.example", "http://spa.example", "null", "*", "https://paged.example/end"} {
			w := s.visitor().get("/.auth/login/aad?session_mode=token&completion_type=postMessage&completion_origin=" + url.QueryEscape(from))
			if w.Code != http.StatusForbidden || s.stub.params != nil || strings.Contains(w.Body.String(), "evil") || !strings.Contains(w.Body.String(), "list of allowed redirects") {
				t.Errorf("%q: status %d", from, w.Code)
			}
			if !strings.Contains(s.logs.String(), `reason=window_refused`) || !strings.Contains(s.logs.String(), from) {
				t.Errorf("the log does not say that %q is missing on the list", from)
			}
			w = s.visitor().get("/.auth/login/iframereceiver?completion_origin=" + url.QueryEscape(from))
			if w.Code != http.StatusForbidden {
				t.Errorf("receiver for %q: status %d", from, w.Code)
			}
		}
	})
}

// The list may have changed since the popup was opened (RED11).
func TestContract16CompletionOriginIsJudgedAgainAtTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := storetest.NewCounting(memstore.New())
		older := tokenSite(t, setup{shared: shared})
		newer := tokenSite(t, setup{shared: shared, config: handlers.Config{AllowedRedirects: []string{}}})
		v := older.visitor()
		state := v.begin(t, "/.auth/login/aad?session_mode=token&completion_type=postMessage&completion_origin="+spa)
		v.to = newer
		w := v.get(callbackPath + "?code=alice&state=" + state)
		fragmentOf(t, w, end, "token") // to nobody: it rests in the popup
	})
}

func TestRED11TargetOfAProgramIsJudgedAgainAtTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := storetest.NewCounting(memstore.New())
		older := tokenSite(t, setup{shared: shared})
		newer := tokenSite(t, setup{shared: shared, config: handlers.Config{AllowedRedirects: []string{}}})
		v := older.visitor()
		state := v.begin(t, "/.auth/login/aad?session_mode=token&post_login_redirect_uri=https://spa.example/in")
		v.to = newer
		fragmentOf(t, v.get(callbackPath+"?code=alice&state="+state), end, "token")
	})
}

func TestContract16ReceiverIsFramedByItsOriginAndHearsNobodyElse(t *testing.T) {
	s := tokenSite(t, setup{})
	w := s.visitor().get("/.auth/login/iframereceiver?completion_origin="+spa, "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site")
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(policy, "frame-ancestors "+spa+";") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(w.Body.String(), `data-origin="`+spa+`"`) ||
		!strings.Contains(w.Body.String(), "window.transferLoginResult=") {
		t.Errorf("status %d, policy %q: %s", w.Code, policy, w.Body)
	}
	if w := s.visitor().get("/.auth/login/iframereceiver"); w.Code != http.StatusBadRequest {
		t.Errorf("without an origin: status %d", w.Code)
	}
}

func TestContract13EndPageIsFixedAndRunsNoScript(t *testing.T) {
	s := tokenSite(t, setup{})
	w := s.visitor().get("/.auth/login/done")
	if w.Code != 200 || strings.Contains(w.Body.String(), "<script") || !strings.Contains(w.Body.String(), `href="/"`) || !strings.Contains(w.Body.String(), "close this window") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// LOG11, contract 1.2: what took too long is begun again as it was wanted, once.
func TestContract12AttemptThatTookTooLongIsBegunAgainAsItWas(t *testing.T) {
	for name, query := range map[string]string{
		"token":       "?session_mode=token",
		"target":      "?post_login_redirect_uri=%2Fx&session_mode=token",
		"postMessage": "?completion_origin=https%3A%2F%2Fspa.example&completion_type=postMessage&session_mode=token",
		"code": "?code_challenge=" + strings.Repeat("A", 43) + "&code_challenge_method=S256&post_login_redirect_uri=" +
			url.QueryEscape(callback) + "&session_mode=token",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := tokenSite(t, setup{config: handlers.Config{AttemptLifetime: 5 * time.Minute}})
			v := s.visitor()
			late := func() string {
				state := v.begin(t, "/.auth/login/aad"+query)
				time.Sleep(5*time.Minute + time.Second)
				return v.get(callbackPath + "?code=alice&state=" + state).Header().Get("Location")
			}
			if got := late(); got != app+"/.auth/login/aad"+query {
				t.Errorf("%s: begun again at %q", name, got)
			}
			at := map[string]string{"target": "/x", "code": callback + "/"}[name]
			switch got := late(); {
			case name == "postMessage" && got == "": // told by the page
			case !strings.HasPrefix(got, cmp.Or(at, end)+"#error=The%20sign-in%20took%20too%20long"):
				t.Errorf("%s: the second time ends at %q", name, got)
			}
			if s.stub.calls() != 0 {
				t.Error("a code was spent")
			}
			if got := late(); got != app+"/.auth/login/aad"+query {
				t.Errorf("%s: the retry of a later sign-in is refused: %q", name, got)
			}
		})
	}
}

func TestAttemptThatIsInTimeForgetsTheOneThatWasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{stub: &stub{name: "aad", formPost: true}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		time.Sleep(providers.FlowLifetime + time.Second)
		if w := v.post(callbackPath, url.Values{"state": {state}, "code": {"alice"}}); w.Code != http.StatusSeeOther {
			t.Errorf("status %d", w.Code)
		}
		if v.cookies["__Host-easyauth-retried"] == "" {
			t.Error("the retry is not counted")
		}
		v.signIn(t, "alice")
		if v.cookies["__Host-easyauth-retried"] != "" || s.sessionCount(v) != 1 {
			t.Errorf("cookies %v", v.cookies)
		}
	})
}

// REP3: the callback of a program, loaded again in a browser that has a cookie.
func TestContract13TokenModeIsNotFinishedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "bob")
		state := v.begin(t, "/.auth/login/aad?session_mode=token")
		copied := v.clone()
		v.get(callbackPath + "?code=alice&state=" + state)
		w := copied.get(callbackPath + "?code=alice&state=" + state)
		if got := fragmentOf(t, w, end, "error"); !strings.Contains(got, "finished before") || s.stub.calls() != 2 {
			t.Errorf("error %q, %d codes spent", got, s.stub.calls())
		}
	})
}

func TestContract13ProgramIsToldOfASignInThatCannotBegin(t *testing.T) {
	for kind, want := range map[providers.Kind]int{providers.Misconfigured: http.StatusFound, providers.Invalid: http.StatusFound, providers.Unready: http.StatusServiceUnavailable} {
		s := tokenSite(t, setup{stub: &stub{name: "aad", unready: &providers.Error{Kind: kind}}})
		w := s.visitor().get("/.auth/login/aad?session_mode=token&post_login_redirect_url=" + callback)
		if w.Code != want { // one that may begin in a moment loads its page again
			t.Errorf("%s: status %d, want %d", kind, w.Code, want)
		}
		if want == http.StatusFound {
			fragmentOf(t, w, callback+"/", "error")
		}
	}
}
