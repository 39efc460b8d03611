package handlers_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
)

// setCookies are the Set-Cookie lines of an answer with what is random in them
// replaced, so that they can be compared.
func setCookies(w interface{ Result() *http.Response }) []string {
	var lines []string
	for _, line := range w.Result().Header["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		if prefix, _, ok := strings.Cut(name, "flow-"); ok {
			name = prefix + "flow-<id>"
		}
		if value != "" {
			value = "<sealed>"
		}
		lines = append(lines, name+"="+value+";"+attributes)
	}
	return lines
}

func TestCOO1FlowCookieIsWhatTheGoldenFileSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got strings.Builder
		for _, in := range []struct {
			name string
			setup
		}{
			{"https", setup{}},
			{"https, form_post (COO9)", setup{stub: &stub{name: "aad", formPost: true}}},
			{"http on loopback", setup{config: handlers.Config{BaseURL: parse("http://localhost:8080")}}},
			{"http on loopback, form_post", setup{config: handlers.Config{BaseURL: parse("http://localhost:8080")}, stub: &stub{name: "aad", formPost: true}}},
		} {
			s := newSite(t, in.setup)
			v := s.visitor()
			w := v.get("/.auth/login/aad")
			state := parse(w.Header().Get("Location")).Query().Get("state")
			// COO8: the deletion has the attributes of the setting.
			end := v.get("/.auth/login/aad/callback?error=access_denied&state=" + state)
			fmt.Fprintf(&got, "%s\n\tset     %s\n", in.name, strings.Join(setCookies(w), "\n\t"))
			fmt.Fprintf(&got, "\tdeleted %s\n", slices.DeleteFunc(setCookies(end), func(line string) bool { return !strings.Contains(line, "flow-") })[0])
		}
		golden(t, "flowcookie.golden", got.String())
	})
}

func TestLOG15FiveTabsFinishInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		var states []string
		for i := range 5 {
			states = append(states, v.begin(t, fmt.Sprintf("/.auth/login/aad?post_login_redirect_uri=/tab/%d", i)))
			time.Sleep(time.Second)
		}
		before := v.clone()
		for _, i := range []int{3, 0, 4, 2, 1} {
			w := v.get("/.auth/login/aad/callback?code=alice&state=" + states[i])
			if got := w.Header().Get("Location"); got != fmt.Sprintf("/tab/%d", i) {
				t.Fatalf("tab %d: status %d, Location %q", i, w.Code, got)
			}
		}
		if s.stub.calls() != 5 || s.sessionCount(v) != 1 || len(v.flows()) != 0 {
			t.Errorf("calls %d, sessions %d, attempts left %v", s.stub.calls(), s.sessionCount(v), v.flows())
		}
		if s.sessionCount(before) != 0 {
			t.Error("a browser without the session cookie is signed in")
		}
	})
}

func TestDOS2AThousandAbandonedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		var states []string
		for i := range 1000 {
			target := strings.Repeat("/path", i%400) + "/x"
			states = append(states, v.begin(t, "/.auth/login/aad?post_login_redirect_uri="+target))
			time.Sleep(time.Millisecond)
			r := v.request(http.MethodGet, "/")
			if n := len(r.Header.Get("Cookie")); len(v.flows()) > 5 || n >= 4096 {
				t.Fatalf("after %d logins: %d cookies, %d bytes", i+1, len(v.flows()), n)
			}
		}
		// The newest is never dropped, and of small ones five are kept.
		for i := range 5 {
			states[995+i] = v.begin(t, "/.auth/login/aad")
			time.Sleep(time.Millisecond)
		}
		for i, state := range states[995:] {
			if w := v.clone().get("/.auth/login/aad/callback?code=alice&state=" + state); w.Code != http.StatusFound {
				t.Errorf("attempt %d of the last five: status %d", i+1, w.Code)
			}
		}
		if w := v.get("/.auth/login/aad/callback?code=alice&state="+states[994], program...); reason(t, w) != "attempt_unknown" {
			t.Errorf("an evicted attempt: status %d", w.Code)
		}
	})
}

func TestDeadAttemptsAreSweptAtTheNextLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.begin(t, "/.auth/login/aad")
		v.cookies["__Host-easyauth-flow-invented"] = "nonsense"
		time.Sleep(providers.FlowLifetime + time.Second)
		v.begin(t, "/.auth/login/aad")
		if len(v.flows()) != 1 {
			t.Errorf("attempts left: %v", v.flows())
		}
	})
}

func TestDOS1LoginCostsTheStoreNothing(t *testing.T) {
	s := newSite(t, setup{})
	for range 100 {
		s.visitor().begin(t, "/.auth/login/aad")
	}
	if n := s.counting.Counts(); n.Loads+n.Saves+n.Deletes != 0 {
		t.Errorf("store calls: %+v", n)
	}
}

func TestLOG10CookiesOfOnePurposeAreNothingForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		sessionCookie := v.cookies["__Host-easyauth"]
		if sessionCookie == "" {
			t.Fatalf("no session cookie in %v", slices.Collect(maps.Keys(v.cookies)))
		}
		other := s.visitor()
		state := other.begin(t, "/.auth/login/aad")
		name := other.flows()[0]
		flow := other.cookies[name]

		other.cookies["__Host-easyauth"] = flow
		if s.sessionCount(other) != 0 {
			t.Error("an attempt is a session")
		}
		for what, forged := range map[string]string{"session": sessionCookie, "another attempt": func() string {
			_, value := handlers.SealFlow(keys, providers.NewFlow("aad", "", ""))
			return value
		}()} {
			victim := s.visitor()
			victim.cookies[name] = forged
			if w := victim.get("/.auth/login/aad/callback?code=alice&state="+state, program...); reason(t, w) != "attempt_unknown" {
				t.Errorf("%s as the cookie of an attempt: status %d", what, w.Code)
			}
		}
		if s.stub.calls() != 1 {
			t.Errorf("%d codes spent, want alice's own", s.stub.calls())
		}
	})
}

func TestSTO3KeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := bytes.Repeat([]byte("n"), 32)
		old := newSite(t, setup{})
		v := old.visitor()
		first, second := v.begin(t, "/.auth/login/aad"), v.begin(t, "/.auth/login/aad")

		v.to = newSite(t, setup{shared: old.counting, config: handlers.Config{Keys: [][]byte{next, keys[0]}}})
		if w := v.get("/.auth/login/aad/callback?code=alice&state=" + first); w.Code != http.StatusFound {
			t.Errorf("old key still listed: status %d", w.Code)
		}
		v = &visitor{to: newSite(t, setup{shared: old.counting, config: handlers.Config{Keys: [][]byte{next}}}), cookies: v.cookies}
		delete(v.cookies, "__Host-easyauth")
		if w := v.get("/.auth/login/aad/callback?code=alice&state="+second, program...); reason(t, w) != "attempt_unknown" {
			t.Errorf("old key removed: status %d", w.Code)
		}
	})
}

func TestCOO5ManyCookiesAreNoSessionAndNoPanic(t *testing.T) {
	s := newSite(t, setup{})
	for name, header := range map[string]string{
		"3001 cookies":     strings.Repeat("__Host-easyauth-flow-x=y; ", 3001),
		"a megabyte":       "__Host-easyauth-flow-x=" + strings.Repeat("A", 1<<20),
		"2000 of ours":     strings.Repeat("__Host-easyauth-flow-x=y; ", 2000),
		"quotes and blank": `__Host-easyauth-flow-x="; __Host-easyauth-flow- =; =; ;`,
	} {
		r := s.visitor().request(http.MethodGet, "/.auth/login/aad", "Cookie", header)
		w := s.visitor().do(r)
		if w.Code != http.StatusFound || len(w.Result().Header["Set-Cookie"]) > 80 {
			t.Errorf("%s: status %d, %d cookies set", name, w.Code, len(w.Result().Header["Set-Cookie"]))
		}
		r = s.visitor().request(http.MethodGet, "/.auth/login/aad/callback?code=c&state=s", "Cookie", header)
		if w := s.visitor().do(r); w.Code != http.StatusBadRequest {
			t.Errorf("%s at the callback: status %d", name, w.Code)
		}
	}
}

// F3: whatever a browser sends as the cookie of an attempt, only what we sealed
// opens, and only under its own name.
func FuzzFlowCookieOpensOnlyOurs(f *testing.F) {
	flow := providers.NewFlow("aad", app+"/.auth/login/aad/callback", "/x")
	name, value := handlers.SealFlow(keys, flow)
	long := providers.NewFlow("aad", "", "/"+strings.Repeat("x", 1500))
	_, deflated := handlers.SealFlow(keys, long)
	f.Add(value[:len(value)-1])
	f.Add(value + "A")
	f.Add(deflated)
	f.Add("")
	f.Add("%00")
	s := newSite(f, setup{})
	f.Fuzz(func(t *testing.T, forged string) {
		if forged == value {
			return
		}
		before := s.stub.calls()
		r := s.visitor().request(http.MethodGet, "/.auth/login/aad/callback?code=c&state="+flow.State(), program...)
		r.Header.Set("Cookie", name+"="+forged)
		w := s.visitor().do(r)
		if w.Code != http.StatusBadRequest || s.stub.calls() != before {
			t.Errorf("%q: status %d", forged, w.Code)
		}
	})
}
