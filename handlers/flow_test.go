package handlers_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

// stopAtCallback makes a browser stop when the provider sends it back, and
// returns a function that tells where it would have gone.
func stopAtCallback(b *providertest.Browser) func() *url.URL {
	var next *url.URL
	b.StopAt = func(u *url.URL) bool {
		if u.Path == callbackPath {
			next = u
		}
		return u.Path == callbackPath
	}
	return func() *url.URL { return next }
}

// LOG7: the attacker's own attempt with the victim's code. The provider refuses
// the verifier, and the answer is a defect of the response.
func TestLOG7StolenCodeInTheAttackersOwnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		victim := providertest.NewBrowser(s.network)
		victims := stopAtCallback(victim)
		if _, err := victim.SignIn(app+"/.auth/login/aad", "alice"); err != nil {
			t.Fatal(err)
		}
		attacker := s.visitor()
		state := attacker.begin(t, "/.auth/login/aad")
		q := victims().Query()
		q.Set("state", state)
		w := attacker.get(callbackPath+"?"+q.Encode(), program...)
		if reason(t, w) != "sign_in_invalid" || s.sessionCount(attacker) != 0 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

func TestDeniedAtTheProviderIsAPageWithAWayOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		b := providertest.NewBrowser(s.network)
		p, err := b.Open(app + "/.auth/login/aad?post_login_redirect_uri=/x")
		if err != nil {
			t.Fatal(err)
		}
		form := p.Forms()[0]
		form.Values.Set("action", "deny")
		if p, err = b.Submit(form); err != nil {
			t.Fatal(err)
		}
		if p.Status != 403 || !strings.Contains(string(p.Body), `href="https://app.example/.auth/login/aad?post_login_redirect_uri=%2Fx"`) {
			t.Errorf("at %s: status %d, %s", p.URL, p.Status, p.Body)
		}
		if n := s.op.Stats().CodeExchanges; n != 0 {
			t.Errorf("%d codes spent", n)
		}
	})
}

// The attempt's cookie comes along with the provider's cross-site POST, and the
// session works from the next page on.
func TestFormPostLoginInABrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{}), oidc: providers.OIDCConfig{FormPost: true}})
		b := signedIn(t, s)
		for _, hop := range b.Page().Hops {
			if hop.URL.Path == callbackPath && (hop.Method != http.MethodPost || hop.Status != http.StatusSeeOther || hop.URL.RawQuery != "") {
				t.Errorf("callback by %s %s: status %d", hop.Method, hop.URL, hop.Status)
			}
		}
	})
}

// A strict cookie is withheld from the redirect that began at the provider, so
// the sign-in ends on a page of ours, from which the way on is same-site.
func TestStrictCookieSurvivesTheWayBackFromTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{}),
			sessions: session.Config{SameSite: http.SameSiteStrictMode}, config: handlers.Config{StrictCookie: true}})
		b := providertest.NewBrowser(s.network)
		p, err := b.SignIn(app+"/.auth/login/aad?post_login_redirect_uri=/x", "alice")
		if err != nil {
			t.Fatal(err)
		}
		next, ok := strings.CutPrefix(p.Header.Get("Refresh"), "0; url=")
		if !ok || next != "/x" {
			t.Fatalf("at %s: Refresh %q", p.URL, p.Header.Get("Refresh"))
		}
		if p, err = b.Follow(next); err != nil || string(p.Body) != "sub-alice" {
			t.Errorf("at %s: %v, %s", p.URL, err, p.Body)
		}
	})
}

// The session before ends even where its cookie does not come along to the
// callback: in a cross-site POST, and wherever it is Strict.
func TestLOG16InABrowserTheFirstUsersGrantEndsToo(t *testing.T) {
	for name, in := range map[string]setup{
		"query":     {},
		"form_post": {oidc: providers.OIDCConfig{FormPost: true}},
		"strict":    {sessions: session.Config{SameSite: http.SameSiteStrictMode}, config: handlers.Config{StrictCookie: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in.op = providertest.New(providertest.Config{})
				s := newSite(t, in)
				b := providertest.NewBrowser(s.network)
				for _, user := range []string{"alice", "bob"} {
					if _, err := b.SignIn(app+"/.auth/login/aad?prompt=login", user); err != nil {
						t.Fatal(err)
					}
				}
				if got := fetch(t, b, http.MethodGet, "/").Body; string(got) != "sub-bob" {
					t.Errorf("signed in as %s", got)
				}
				if live := s.op.Stats().LiveGrants; live != 1 {
					t.Errorf("%d grants live, want bob's alone", live)
				}
			})
		})
	}
}

// JWT10: userinfo about somebody else ends the sign-in, and leaves nothing.
func TestJWT10UserInfoAboutSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		s.op.Mutate(providertest.Mutations{UserInfo: func(claims map[string]any) { claims["sub"] = "somebody-else" }})
		b := providertest.NewBrowser(s.network)
		p, err := b.SignIn(app+"/.auth/login/aad", "alice")
		if err != nil {
			t.Fatal(err)
		}
		if p.Status != 400 || len(b.Cookies(app)) != 0 || s.op.Stats().LiveGrants != 0 {
			t.Errorf("status %d, cookies %v, %d grants live", p.Status, b.Cookies(app), s.op.Stats().LiveGrants)
		}
	})
}

func TestStoreThatDiesDuringASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		s.stub.then = func() { s.faulty.Fail(errors.New("down")) }
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		w := v.get(callbackPath+"?code=alice&state="+state, program...)
		if reason(t, w) != "store_unavailable" || w.Header().Get("Retry-After") == "" || len(v.cookies) != 0 {
			t.Errorf("status %d, %v", w.Code, w.Header())
		}
	})
}

// COO3: of two cookies of the session's name neither counts.
func TestCOO3TossedCookieIsNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		alice, mallory := s.visitor(), s.visitor()
		alice.signIn(t, "alice")
		mallory.signIn(t, "mallory")
		both := "__Host-easyauth=" + mallory.cookies["__Host-easyauth"] + "; __Host-easyauth=" + alice.cookies["__Host-easyauth"]
		if w := s.visitor().get("/.auth/me", "Cookie", both); w.Code != 401 {
			t.Errorf("me: status %d", w.Code)
		}
		w := s.visitor().get("/.auth/refresh", "Cookie", both)
		if w.Code != 401 || !strings.HasPrefix(w.Header().Get("Set-Cookie"), "__Host-easyauth=;") {
			t.Errorf("refresh: status %d, Set-Cookie %q", w.Code, w.Header().Get("Set-Cookie"))
		}
	})
}

// LEA2: a whole life at debug level, and no secret in any record.
func TestLEA2NoSecretInAnyLogRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &logs{}
		op := providertest.New(providertest.Config{AccessTokenLifetime: time.Minute})
		s := newSite(t, setup{op: op, logger: slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))})
		b := signedIn(t, s)
		var cookies []string
		note := func() {
			for _, c := range b.Cookies(app) {
				cookies = append(cookies, c.Value)
			}
		}
		note()
		fetch(t, b, http.MethodGet, "/.auth/me")
		time.Sleep(time.Minute)
		fetch(t, b, http.MethodGet, "/.auth/refresh")
		for _, fault := range []providertest.Fault{{Status: 500, Body: strings.Join(op.Secrets(), "\n")}, {OAuthError: "invalid_grant"}, {Cut: true}, {Body: "{"}} {
			time.Sleep(10 * time.Minute)
			fault.Times = 1
			op.Fail(providertest.Token, fault)
			fetch(t, b, http.MethodGet, "/.auth/refresh")
			op.Fail(providertest.Token, fault)
			stray := providertest.NewBrowser(s.network)
			if _, err := stray.SignIn(app+"/.auth/login/aad", "carol"); err != nil {
				t.Fatal(err)
			}
			op.Heal()
		}
		at := stopAtCallback(b)
		if _, err := b.SignIn(app+"/.auth/login/aad?prompt=login", "alice"); err != nil {
			t.Fatal(err)
		}
		note()
		b.StopAt = nil
		for range 2 { // the second one is a replay
			if _, err := b.Open(at().String()); err != nil {
				t.Fatal(err)
			}
		}
		note()
		if _, err := b.Follow("/.auth/logout?post_logout_redirect_uri=/bye"); err != nil {
			t.Fatal(err)
		}
		note()

		text := out.String()
		secrets := append(op.Secrets(), cookies...)
		if len(secrets) < 40 || strings.Count(text, "\n") < 10 {
			t.Fatalf("%d secrets and %d records prove nothing", len(secrets), strings.Count(text, "\n"))
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%.6s... is in the log", secret)
			}
		}
		for _, personal := range []string{"alice@example.com", "carol"} {
			if strings.Contains(text, personal) {
				t.Errorf("%s is in the log", personal)
			}
		}
	})
}

// LEA3: one record per outcome, whatever the request carries.
func TestLEA3LogInjection(t *testing.T) {
	s := newSite(t, setup{})
	v := s.visitor()
	evil := url.QueryEscape("x\nlevel=ERROR msg=forged\r\n")
	v.get(callbackPath + "?code=" + evil + "&state=" + evil)
	v.get(callbackPath + "?error=" + evil + "&state=" + evil)
	v.get("/.auth/login/" + evil)
	v.get("/.auth/login/aad?x=" + evil)
	if text := s.logs.String(); strings.Contains(text, "forged") || strings.Count(text, "\n") != 3 {
		t.Errorf("got %s", text)
	}
}

// LEA7: neither the store's words nor the provider's reach an answer.
func TestLEA7CausesStayInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := fmt.Errorf("dial tcp 10.1.2.3:6379")
		s := newSite(t, setup{stub: &stub{name: "aad", failure: &providers.Error{Provider: "aad", Op: "exchange", Kind: providers.Misconfigured, Err: cause}}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad")
		w := v.get(callbackPath + "?code=alice&state=" + state)
		if strings.Contains(w.Body.String(), "10.1.2.3") || !strings.Contains(s.logs.String(), "10.1.2.3") {
			t.Errorf("answer %s\nlog %s", w.Body, s.logs)
		}
	})
}
