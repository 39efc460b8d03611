package providertest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestAuthorizationResponseCarriesStateAndIssuer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Issuer: "https://op.example/realms/a"})
		got := c.response()
		if got.Get("state") != state || got.Get("iss") != "https://op.example/realms/a" || got.Get("code") == "" || len(got) != 3 {
			t.Errorf("response %v", got)
		}
	})
}

func TestAuthorizationDefectIsToldToTheClient(t *testing.T) {
	set := oauth2.SetAuthURLParam
	for name, row := range map[string]struct {
		option oauth2.AuthCodeOption
		code   string
		reason string
	}{
		"implicit flow":             {set("response_type", "id_token"), "unsupported_response_type", "must be code"},
		"plain PKCE":                {set("code_challenge_method", "plain"), "invalid_request", "S256"},
		"no PKCE":                   {set("code_challenge", ""), "invalid_request", "code_challenge is missing"},
		"a challenge of wrong size": {set("code_challenge", "short"), "invalid_request", "not a SHA-256 hash"},
		"request object":            {set("request", "x.y.z"), "request_not_supported", ""},
		"request_uri":               {set("request_uri", "https://app.example/r"), "request_uri_not_supported", ""},
		"fragment mode":             {set("response_mode", "fragment"), "invalid_request", "response_mode"},
		"prompt none and login":     {set("prompt", "none login"), "invalid_request", "stands alone"},
		"max_age no number":         {set("max_age", "-1"), "invalid_request", "max_age"},
		"scope empty":               {set("scope", ""), "invalid_scope", "missing"},
		"resource with fragment":    {set("resource", "https://api.example/#f"), "invalid_target", "not known"},
		"prompt none, no session":   {set("prompt", "none"), "login_required", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				got := newClient(t, providertest.Config{}).response(row.option)
				if got.Get("error") != row.code || !strings.Contains(got.Get("error_description"), row.reason) {
					t.Errorf("response %v, want error %s: %s", got, row.code, row.reason)
				}
				if got.Get("state") != state || got.Get("iss") == "" || got.Has("code") {
					t.Errorf("response %v, want state and iss, and no code", got)
				}
			})
		})
	}
}

func TestAuthorizationParameterTwiceIsToldToTheClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		if got, err := c.op.Authorize(c.authURL()+"&scope=openid", "alice"); err != nil || got.Get("error_description") != "scope is there more than once" {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := c.op.Authorize(c.authURL()+"&resource=https://a.example&resource=https://b.example", "alice"); err != nil || got.Get("code") == "" {
			t.Errorf("two resources: %v, %v", got, err)
		}
	})
}

func TestAuthorizationWithoutAClientToTrustRedirectsNowhere(t *testing.T) {
	registered := providertest.Registration{ID: "app", Secret: "s", RedirectURIs: []string{callback}}
	set := oauth2.SetAuthURLParam
	for name, row := range map[string]struct {
		option oauth2.AuthCodeOption
		reason string
	}{
		"unknown client":              {set("client_id", "other"), "No client has this client_id"},
		"unregistered redirect URI":   {set("redirect_uri", callback+"/"), "not registered"},
		"redirect URI of another app": {set("redirect_uri", "https://evil.example/"), "not registered"},
		"no redirect URI":             {set("redirect_uri", ""), "not registered"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Clients: []providertest.Registration{registered}})
				p, err := c.browser.Open(c.authURL(row.option))
				if err != nil {
					t.Fatal(err)
				}
				if p.Status != http.StatusBadRequest || len(p.Hops) != 1 || !strings.Contains(string(p.Body), row.reason) {
					t.Errorf("status %d after %d requests: %s", p.Status, len(p.Hops), p.Body)
				}
			})
		})
	}
}

func TestPublicClientsNeedPKCEEvenWhereItIsOptional(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := oauth2.SetAuthURLParam
		c := newClient(t, providertest.Config{OptionalPKCE: true, Clients: []providertest.Registration{{ID: "public"}}})
		if got := c.response(set("code_challenge", ""), set("code_challenge_method", "")); got.Get("error") != "invalid_request" {
			t.Errorf("public client: %v", got)
		}
		c = newClient(t, providertest.Config{OptionalPKCE: true})
		if got := c.response(set("code_challenge", ""), set("code_challenge_method", "")); got.Get("code") == "" {
			t.Errorf("confidential client: %v", got)
		}
	})
}

func TestSingleSignOnAndPrompts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		set := oauth2.SetAuthURLParam
		c.response() // alice is signed in at the provider from here on
		asks := func(options ...oauth2.AuthCodeOption) bool {
			p, err := c.browser.Open(c.authURL(options...))
			if err != nil {
				t.Fatal(err)
			}
			return len(p.Forms()) > 0
		}
		if !asks(set("max_age", "0")) {
			t.Error("max_age=0 did not ask within the same instant")
		}
		if asks() {
			t.Error("asked again although the browser is signed in")
		}
		if asks(set("prompt", "none")) {
			t.Error("prompt=none asked")
		}
		for _, prompt := range []string{"login", "consent", "select_account", "login consent"} {
			if !asks(set("prompt", prompt)) {
				t.Errorf("prompt=%s did not ask", prompt)
			}
		}
		time.Sleep(time.Minute)
		if !asks(set("max_age", "59")) || asks(set("max_age", "60")) || !asks(set("max_age", "0")) {
			t.Error("max_age is not counted from the sign-in")
		}
		if got := c.response(set("prompt", "none"), set("max_age", "5")); got.Get("error") != "login_required" {
			t.Errorf("prompt=none with a max_age that has passed: %v", got)
		}
		cookie := c.browser.Cookies(c.op.Issuer())[0]
		time.Sleep(24 * time.Hour)
		c.browser.SetCookie(c.op.Issuer(), &http.Cookie{Name: cookie.Name, Value: cookie.Value, Path: "/"}) // a browser that keeps it too long
		if !asks() {
			t.Error("not asked after a day")
		}
		c.response()
		c.op.ForgetBrowsers()
		if !asks() {
			t.Error("not asked although the provider forgot the browser")
		}
	})
}

func TestConsentIsAskedOncePerScopes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{AskConsent: true})
		set := oauth2.SetAuthURLParam
		c.response()
		if got := c.response(set("prompt", "none")); got.Get("code") == "" {
			t.Errorf("same scopes: %v, want a code", got)
		}
		if got := c.response(set("prompt", "none"), set("scope", "openid calendar")); got.Get("error") != "consent_required" {
			t.Errorf("other scopes: %v, want consent_required", got)
		}
		c.response(set("scope", "openid calendar"))
		if got := c.response(set("prompt", "none"), set("scope", "openid calendar")); got.Get("code") == "" {
			t.Errorf("other scopes, agreed to: %v, want a code", got)
		}
	})
}

func TestAConsentFormDoesNotSkipTheSignIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		p, err := c.browser.Open(c.authURL())
		if err != nil {
			t.Fatal(err)
		}
		form := p.Forms()[0]
		form.Values.Del("user")
		if p, err = c.browser.Submit(form); err != nil || len(c.app.got) != 0 || len(p.Forms()) == 0 {
			t.Errorf("a form without a name was let through: %v, %v", c.app.got, err)
		}
	})
}

func TestUserWhoCancelsIsDenied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		p, err := c.browser.Open(c.authURL(oauth2.SetAuthURLParam("login_hint", "bob")))
		if err != nil {
			t.Fatal(err)
		}
		form := p.Forms()[0]
		if form.Values.Get("user") != "bob" {
			t.Errorf("the form does not know the login_hint: %v", form.Values)
		}
		form.Values.Set("action", "deny")
		if _, err := c.browser.Submit(form); err != nil {
			t.Fatal(err)
		}
		if got := c.app.got[0]; got.Get("error") != "access_denied" || got.Get("state") != state {
			t.Errorf("response %v, want access_denied", got)
		}
	})
}

func TestKnownUsersOnlyTurnsStrangersDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{KnownUsersOnly: true, Users: []providertest.User{{Name: "bob"}}})
		p, err := c.browser.SignIn(c.authURL(), "mallory")
		if err != nil || p.Status != http.StatusForbidden || !strings.Contains(string(p.Body), "Nobody of this name") {
			t.Errorf("mallory: %v, %s", err, p.Body)
		}
		if _, err := c.browser.SignIn(c.authURL(), "bob"); err != nil || len(c.app.got) != 1 {
			t.Errorf("bob: %v, %v", err, c.app.got)
		}
	})
}

func TestOfflineAccessNeedsConsentWhereConfigured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{RequireConsentForOffline: true})
		if token := c.signIn(); token.RefreshToken != "" || strings.Contains(token.Extra("scope").(string), "offline_access") {
			t.Error("offline_access was granted without prompt=consent")
		}
		if token := c.signIn(oauth2.SetAuthURLParam("prompt", "consent")); token.RefreshToken == "" {
			t.Error("offline_access was not granted with prompt=consent")
		}
	})
}

func TestFormPostSubmitsItselfUnderItsOwnPolicy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		p, err := c.browser.SignIn(c.authURL(oauth2.SetAuthURLParam("response_mode", "form_post")), "alice")
		if err != nil {
			t.Fatal(err)
		}
		last := p.Hops[len(p.Hops)-1]
		if last.Method != "POST" || last.URL.String() != callback || c.app.got[0].Get("state") != state {
			t.Errorf("ended with %s %s and %v", last.Method, last.URL, c.app.got)
		}
		if last.Sent.Get("Origin") != "null" || last.Sent.Get("Sec-Fetch-Site") != "cross-site" || last.Sent.Get("Sec-Fetch-User") != "" {
			t.Errorf("posted with %v", last.Sent)
		}
	})
}

func TestPagesMayRunNothingButTheirOwnStyleAndScript(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		c.browser.StopAt = func(*url.URL) bool { return true }
		p, err := c.browser.Open(c.authURL(oauth2.SetAuthURLParam("login_hint", `"><script>alert(1)</script>`)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(p.Body), "<script>") {
			t.Error("the login_hint is markup")
		}
		checkPolicy(t, p, "form-action 'self' https://app.example")
		p, err = c.browser.SignIn(c.authURL(oauth2.SetAuthURLParam("response_mode", "form_post")), "alice")
		if err != nil {
			t.Fatal(err)
		}
		checkPolicy(t, p, "form-action https://app.example")
	})
}

// checkPolicy checks that the policy of a page names the hash of each of its
// inline styles and scripts, and allows nothing else.
func checkPolicy(t *testing.T, p *providertest.Page, formAction string) {
	t.Helper()
	policy := strings.Split(p.Header.Get("Content-Security-Policy"), "; ")
	want := []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", formAction}
	for _, m := range regexp.MustCompile(`(?s)<(style|script)>(.*?)</`).FindAllSubmatch(p.Body, -1) {
		sum := sha256.Sum256(m[2])
		want = append(want, string(m[1])+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	slices.Sort(policy)
	slices.Sort(want)
	if !slices.Equal(policy, want) {
		t.Errorf("policy\n%q, want\n%q", policy, want)
	}
	for name, value := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
		if p.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, p.Header.Get(name), value)
		}
	}
}

func TestSignInFormWithABadRequestSignsNobodyIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		submit := func(request string) *providertest.Page {
			p, err := c.browser.Submit(providertest.Form{Method: "POST", Action: c.op.Issuer() + "/authorize/answer",
				Values: url.Values{"user": {"alice"}, "request": {request}}})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		for request, reason := range map[string]string{"%zz": "lost its request", "client_id=x": "No client has"} {
			if p := submit(request); p.Status != http.StatusBadRequest || !strings.Contains(string(p.Body), reason) {
				t.Errorf("%s: %d %s", request, p.Status, p.Body)
			}
		}
		u, _ := url.Parse(c.authURL(oauth2.SetAuthURLParam("response_type", "token")))
		submit(u.RawQuery)
		if len(c.app.got) != 1 || c.app.got[0].Get("error") != "unsupported_response_type" {
			t.Errorf("responses %v", c.app.got)
		}
		if got := c.response(oauth2.SetAuthURLParam("prompt", "none")); got.Get("error") != "login_required" {
			t.Errorf("somebody was signed in: %v", got)
		}
	})
}

func TestSignInFormOfAnotherSiteIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		p, err := c.browser.Open(c.authURL())
		if err != nil {
			t.Fatal(err)
		}
		form := p.Forms()[0]
		form.Values.Set("user", "mallory")
		if _, err := c.browser.Open("https://app.example/"); err != nil {
			t.Fatal(err)
		}
		if p, err = c.browser.Submit(form); err != nil || p.Status != http.StatusForbidden {
			t.Errorf("a form posted from app.example: status %d, %v; want 403", p.Status, err)
		}
	})
}
