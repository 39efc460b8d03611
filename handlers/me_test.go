package handlers_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

// signedIn is a browser at the application in which alice signed in by way of
// the provider's own form.
func signedIn(t *testing.T, s *site) *providertest.Browser {
	t.Helper()
	b := providertest.NewBrowser(s.network)
	p, err := b.SignIn(app+"/.auth/login/aad", "alice")
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != 200 || string(p.Body) != "sub-alice" {
		t.Fatalf("at %s: status %d, %s", p.URL, p.Status, p.Body)
	}
	return b
}

// fetch is what a script on the application's page gets.
func fetch(t *testing.T, b *providertest.Browser, method, path string) *providertest.Page {
	t.Helper()
	r, err := http.NewRequest(method, app+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	p, err := b.Fetch(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMeIsWhatTheContractSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234567 * time.Microsecond) // a fraction that seven digits show
		op := providertest.New(providertest.Config{TellRefreshLifetime: true, AccessTokenLifetime: time.Hour})
		for name, in := range map[string]setup{
			"me":              {},
			"me_refreshtoken": {config: handlers.Config{RefreshTokenInMe: true}},
			"me_hidden":       {config: handlers.Config{RefreshTokenInMe: true, HideTokens: true}},
			"me_reauth":       {sessions: session.Config{ReauthNotice: 30 * 24 * time.Hour}},
		} {
			in.op = op
			s := newSite(t, in)
			p := fetch(t, signedIn(t, s), http.MethodGet, "/.auth/me")
			if p.Status != 200 || p.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("%s: status %d, %v", name, p.Status, p.Header)
			}
			golden(t, name+".golden.json", redact(p.Body, op.Secrets()))
		}
	})
}

var perLogin = regexp.MustCompile(`("typ":"(?:nonce|at_hash|sid)","val":")[^"]*`)

// redact replaces what is random in an answer of /.auth/me.
func redact(body []byte, secrets []string) string {
	text := perLogin.ReplaceAllString(string(body), "$1<random>")
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "<secret>")
	}
	return text + "\n"
}

func TestMeOfOneProviderIsAnObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for query, want := range map[string]string{
			"?provider=aad":                         `{"access_token"`,
			"?provider=AAD":                         `{"access_token"`,
			"?provider=windowsazureactivedirectory": `{"access_token"`,
			"?provider=google":                      `{}`,
			"?provider=":                            `{}`,
			"":                                      `[{"access_token"`,
			"?other=x":                              `[{"access_token"`,
		} {
			if w := v.get("/.auth/me" + query); w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
				t.Errorf("%s: status %d, %s", query, w.Code, w.Body)
			}
		}
		if w := v.get("/.auth/me?provider=aad&provider=google"); w.Code != 400 {
			t.Errorf("provider given twice: status %d", w.Code)
		}
	})
}

func TestMeOfAStranger(t *testing.T) {
	s := newSite(t, setup{})
	w := s.visitor().get("/.auth/me")
	if w.Code != 401 || reason(t, w) != "sign_in_required" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	if got, want := w.Header().Get("WWW-Authenticate"), `Bearer realm="app.example" authorization_uri="https://app.example/.auth/login"`; got != want {
		t.Errorf("WWW-Authenticate %s, want %s", got, want)
	}
	if n := s.counting.Counts(); n.Loads != 0 {
		t.Errorf("%d looks at the store for nobody", n.Loads)
	}
}

func TestMeTellsNoTokenThatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice") // for whom there is no refresh token
		time.Sleep(time.Hour)
		body := v.get("/.auth/me").Body.String()
		if strings.Contains(body, "access_token") || strings.Contains(body, "expires_on") || !strings.Contains(body, `"provider_name":"aad"`) {
			t.Errorf("got %s", body)
		}
	})
}

func TestMeRenewsASessionInItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{AccessTokenLifetime: time.Minute})
		s := newSite(t, setup{op: op})
		b := signedIn(t, s)
		time.Sleep(8*time.Hour + time.Second)
		p := fetch(t, b, http.MethodGet, "/.auth/me")
		if p.Status != 200 || !strings.Contains(string(p.Body), "access_token") || p.Header.Get("Set-Cookie") == "" {
			t.Errorf("status %d, Set-Cookie %q, %s", p.Status, p.Header.Get("Set-Cookie"), p.Body)
		}
		if got := op.Stats().Refreshed; got != 1 {
			t.Errorf("%d refreshes", got)
		}

		time.Sleep(8*time.Hour + time.Second)
		heal := op.Fail(providertest.Token, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"7"}}})
		if p := fetch(t, b, http.MethodGet, "/.auth/me"); p.Status != 503 || p.Header.Get("Retry-After") == "" || p.Header.Get("Set-Cookie") != "" {
			t.Errorf("provider down: status %d, %v", p.Status, p.Header)
		}
		heal()
		time.Sleep(time.Minute)
		if p := fetch(t, b, http.MethodGet, "/.auth/me"); p.Status != 200 {
			t.Errorf("provider back: status %d, %s", p.Status, p.Body)
		}

		time.Sleep(8*time.Hour + time.Second)
		op.RevokeAll()
		if p := fetch(t, b, http.MethodGet, "/.auth/me"); p.Status != 401 {
			t.Errorf("revoked: status %d, %s", p.Status, p.Body)
		}
	})
}

func TestMeWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		s.faulty.Fail(errors.New("down"))
		w := v.get("/.auth/me")
		if w.Code != 503 || reason(t, w) != "store_unavailable" || w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) != 0 {
			t.Errorf("status %d, %v", w.Code, w.Header())
		}
		s.faulty.Hang()
		start := time.Now()
		if w := v.get("/.auth/me"); w.Code != 503 || time.Since(start) > time.Second {
			t.Errorf("hangs: status %d after %s", w.Code, time.Since(start))
		}
	})
}

// A16 of docs/refresh.md: asking who is signed in is no sign of life.
func TestPollingMeDoesNotKeepAnIdleSessionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{sessions: session.Config{IdleTimeout: 30 * time.Minute}})
		v := s.visitor()
		v.signIn(t, "alice")
		s.counting.Reset()
		for range 29 {
			time.Sleep(time.Minute)
			if w := v.get("/.auth/me"); w.Code != 200 {
				t.Fatalf("status %d", w.Code)
			}
		}
		if n := s.counting.Counts(); n.Saves != 0 {
			t.Errorf("%d writes", n.Saves)
		}
		time.Sleep(time.Minute + time.Second)
		if w := v.get("/.auth/me"); w.Code != 401 {
			t.Errorf("after the idle time: status %d", w.Code)
		}
	})
}

func TestCSR6CSR7MeIsForOurOwnPages(t *testing.T) {
	const site, dest, mode = "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode"
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for name, row := range map[string]struct {
			headers []string
			status  int
		}{
			"own script":                   {[]string{site, "same-origin", dest, "empty", mode, "cors"}, 200},
			"address bar":                  {[]string{site, "none", dest, "document", mode, "navigate"}, 200},
			"program (CSR3)":               {nil, 200},
			"own origin, older browser":    {[]string{"Origin", "https://app.example"}, 200},
			"own origin with its port":     {[]string{"Origin", "https://app.example:443"}, 200},
			"another site's script":        {[]string{site, "cross-site", dest, "empty", mode, "cors", "Origin", "https://evil.example"}, 403},
			"sibling's script":             {[]string{site, "same-site", dest, "empty", mode, "cors", "Origin", "https://evil.app.example"}, 403},
			"another origin":               {[]string{"Origin", "https://evil.example"}, 403},
			"another port":                 {[]string{"Origin", "https://app.example:8443"}, 403},
			"http":                         {[]string{"Origin", "http://app.example"}, 403},
			"Origin: null":                 {[]string{"Origin", "null"}, 403},
			"malformed Origin":             {[]string{"Origin", "https://%zz"}, 403},
			"Sec-Fetch-Site of the future": {[]string{site, "somewhere"}, 403},
			"own script tag":               {[]string{site, "same-origin", dest, "script", mode, "no-cors"}, 403},
			"own frame":                    {[]string{site, "same-origin", dest, "iframe", mode, "navigate"}, 403},
			"own image":                    {[]string{site, "same-origin", dest, "image", mode, "no-cors"}, 403},
		} {
			if w := v.get("/.auth/me", row.headers...); w.Code != row.status || w.Code == 403 && (strings.Contains(w.Body.String(), "alice") || s.sessionCount(v) != 1) {
				t.Errorf("%s: status %d, want %d", name, w.Code, row.status)
			}
		}
	})
}

// JWT17, nOAuth: what a user typed into a profile is a name and nothing else.
func TestUserIDOfMeIsDecoration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{Users: []providertest.User{{Name: "alice", Claims: map[string]any{"groups": []string{"a", "b"}, "email": "ceo@app.example"}}}})
		s := newSite(t, setup{op: op, oidc: providers.OIDCConfig{Name: "aad"}})
		p := fetch(t, signedIn(t, s), http.MethodGet, "/.auth/me?provider=aad")
		var got struct {
			UserClaims []struct{ Typ, Val string } `json:"user_claims"`
			UserID     string                      `json:"user_id"`
		}
		if err := json.Unmarshal(p.Body, &got); err != nil {
			t.Fatal(err)
		}
		var groups []string
		for _, c := range got.UserClaims {
			if c.Typ == "groups" {
				groups = append(groups, c.Val)
			}
		}
		if got.UserID != "ceo@app.example" || !slices.Equal(groups, []string{"a", "b"}) {
			t.Errorf("user_id %q, groups %v", got.UserID, groups)
		}
	})
}
