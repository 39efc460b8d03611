package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
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

// tokenOf signs alice in at the real thing in token mode and returns her token.
func tokenOf(t *testing.T, s *site) string {
	t.Helper()
	p, err := providertest.NewBrowser(s.network).SignIn(app+"/.auth/login/aad?session_mode=token", "alice")
	if err != nil {
		t.Fatal(err)
	}
	text, found := strings.CutPrefix(p.URL.Fragment, "token=")
	var got loginJSON
	if !found || p.URL.Path != "/.auth/login/done" || json.Unmarshal([]byte(text), &got) != nil {
		t.Fatalf("ended at %s", p.URL)
	}
	return got.AuthenticationToken
}

// members are the names of a JSON object in their order.
func members(t *testing.T, text string) (names []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		t.Fatalf("%q is no object", text)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestContract18TokenCallersGetANewTokenAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{AccessTokenLifetime: time.Hour})
		s := tokenSite(t, setup{op: op})
		token := tokenOf(t, s)
		for name, after := range map[string]time.Duration{"at once": time.Minute, "in grace": 10 * time.Hour} {
			time.Sleep(after)
			w := s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token, "X-ZUMO-FEATURES", "RT", "ZUMO-API-VERSION", "2.0.0")
			if w.Code != 200 || len(w.Result().Cookies()) != 0 || !slices.Equal(members(t, w.Body.String()), []string{"authenticationToken", "user"}) {
				t.Fatalf("%s: status %d: %s", name, w.Code, w.Body)
			}
			fresh := signedInBy(t, s, w.Body.String(), "sub-alice")
			if fresh == token {
				t.Errorf("%s: the same token again", name)
			}
			if w := s.program("GET", "/.auth/me", "", "X-ZUMO-AUTH", fresh); w.Code != 200 {
				t.Errorf("%s: the new token opens nothing: %d", name, w.Code)
			}
			token = fresh
		}
		if op.Stats().Refreshed != 2 {
			t.Errorf("%d refreshes at the provider", op.Stats().Refreshed)
		}
	})
}

func TestContract18TokenPastItsExpiryIsForARefreshOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{op: providertest.New(providertest.Config{})})
		token := tokenOf(t, s)
		time.Sleep(8*time.Hour + time.Minute)
		refusedProgram(t, s.program("GET", "/.auth/me", "", "X-ZUMO-AUTH", token), 401, "sign_in_required")
		if w := s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token); w.Code != 200 {
			t.Errorf("refresh in grace: status %d: %s", w.Code, w.Body)
		}
		time.Sleep(72 * time.Hour)
		refusedProgram(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token), 401, "sign_in_required")
	})
}

func TestContract18CookieCallersGetTheSameJSONAndTwoTimesAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{op: providertest.New(providertest.Config{AccessTokenLifetime: time.Hour})})
		b := signedIn(t, s)
		time.Sleep(time.Minute)
		p := fetch(t, b, http.MethodGet, "/.auth/refresh")
		if got := members(t, string(p.Body)); p.Status != 200 || !slices.Equal(got, []string{"authenticationToken", "user", "expires_on", "session_expires_on"}) {
			t.Fatalf("status %d: %s", p.Status, p.Body)
		}
		var got loginJSON
		json.Unmarshal(p.Body, &got)
		if loaded, err := s.sessions.LoadToken(t.Context(), got.AuthenticationToken); err != nil || loaded.User.SID() != got.User.UserID {
			t.Errorf("the token: %v", err)
		}
	})
}

// The texts are those of the SDKs; the statuses are all that they look at.
func TestContract18RefusalsHaveTheStatusesAndTheWordsOfTheSDKs(t *testing.T) {
	const (
		unsupported = "The identity provider does not support refresh, or the user is not logged in with sufficient permission."
		over        = "Credentials are no longer valid."
		revoked     = "The refresh token was revoked or expired."
	)
	refused := func(t *testing.T, w *httptest.ResponseRecorder, status int, why, text string) {
		t.Helper()
		refusedProgram(t, w, status, why)
		if !strings.Contains(w.Body.String(), `"message":"`+text) {
			t.Errorf("message of %s, want %q", w.Body, text)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		token := s.clientLogin(t, "alice")
		time.Sleep(time.Minute)
		refused(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token), 400, "refresh_not_supported", unsupported)
		refused(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", "of.no.use"), 401, "sign_in_required", over)
		refused(t, s.program("GET", "/.auth/refresh", ""), 401, "sign_in_required", over)
		refused(t, s.program("GET", "/.auth/refresh", "", "Authorization", "Bearer "+token), 401, "sign_in_required", over) // docs#11383
	})
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := tokenSite(t, setup{op: op, oidc: providers.OIDCConfig{Scopes: []string{"openid"}}})
		token := tokenOf(t, s)
		time.Sleep(time.Minute)
		refused(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token), 400, "no_refresh_token", unsupported)
	})
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := tokenSite(t, setup{op: op})
		token := tokenOf(t, s)
		time.Sleep(time.Minute)
		op.Fail(providertest.Token, providertest.Fault{Status: 503})
		refused(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token), 503, "provider_unavailable", "")
		op.Heal()
		op.RevokeAll()
		time.Sleep(10 * time.Minute)
		refused(t, s.program("GET", "/.auth/refresh", "", "X-ZUMO-AUTH", token), 403, "refresh_rejected", revoked)
	})
}

func TestRefusedTokenLeavesTheCookieAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		if w := v.get("/.auth/refresh", "X-ZUMO-AUTH", "of.no.use"); w.Code != 401 || s.sessionCount(v) != 1 {
			t.Errorf("status %d, cookies %v", w.Code, w.Result().Cookies())
		}
	})
}

func TestContract19SessionTokenEndsItsSessionAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{op: providertest.New(providertest.Config{})})
		v := s.visitor()
		one, other := tokenOf(t, s), tokenOf(t, s)
		w := v.get("/.auth/logout", "X-ZUMO-AUTH", one)
		if w.Code != http.StatusFound || w.Header().Get("Location") != "/.auth/logout/complete" || len(w.Result().Cookies()) != 0 {
			t.Errorf("status %d, Location %q, cookies %v", w.Code, w.Header().Get("Location"), w.Result().Cookies())
		}
		if w := s.program("GET", "/.auth/me", "", "X-ZUMO-AUTH", one); w.Code != 401 { // CDL7
			t.Errorf("the ended session: status %d", w.Code)
		}
		if w := s.program("GET", "/.auth/me", "", "X-ZUMO-AUTH", other); w.Code != 200 {
			t.Errorf("the user's other session: status %d", w.Code)
		}
	})
}

func TestContract19LogoutWithATokenKeepsTheSessionOfTheCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "bob")
		token := s.clientLogin(t, "alice")
		for _, header := range []string{token, "of.no.use"} {
			v.get("/.auth/logout", "X-ZUMO-AUTH", header)
			if s.sessionCount(v) != 1 {
				t.Errorf("bob is signed out by somebody else's token")
			}
		}
	})
}

func TestContract17WithoutATokenStoreThereIsNoMe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{config: handlers.Config{TokensOff: true}, sessions: session.Config{DiscardTokens: true}})
		v := s.visitor()
		v.signIn(t, "alice")
		if w := v.get("/.auth/me"); w.Code != http.StatusNotFound {
			t.Errorf("me: status %d", w.Code)
		}
		if w := v.get("/.auth/refresh"); w.Code != http.StatusBadRequest || s.sessionCount(v) != 1 {
			t.Errorf("refresh: status %d", w.Code)
		}
	})
}
