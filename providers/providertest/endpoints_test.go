package providertest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestAPIWantsALiveTokenForItsAudience(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		token := c.signIn()
		for name, row := range map[string]struct {
			token string
			want  int
		}{
			"good": {token.AccessToken, 200}, "none": {"", 401}, "unknown": {"at_unknown", 401},
			"refresh token": {token.RefreshToken, 401}, "ID token": {token.Extra("id_token").(string), 401},
		} {
			if got := c.callAPI("", row.token); got != row.want {
				t.Errorf("%s: %d, want %d", name, got, row.want)
			}
		}
		c.op.RejectAccessTokens()
		if got := c.callAPI("", token.AccessToken); got != 401 {
			t.Errorf("rejected token: %d", got)
		}
		fresh, err := c.refresh(token.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.callAPI("", fresh.AccessToken); got != 200 {
			t.Errorf("token of the refresh after that: %d", got)
		}
		time.Sleep(5*time.Minute + time.Second)
		if got := c.callAPI("", fresh.AccessToken); got != 401 {
			t.Errorf("expired token: %d", got)
		}
		if got := c.op.Stats(); got.Requests[providertest.Resource] != 8 || got.Rejected != 5 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestAPIEchoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		token := c.signIn()
		client := oauth2.NewClient(
			oauthContext(t, providertest.NewNetwork(map[string]http.Handler{"api.example": c.op.API("")})), oauth2.StaticTokenSource(token))
		resp, err := client.Post("https://api.example/", "text/plain", strings.NewReader("a thing"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var got map[string]string
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got["sub"] != "sub-alice" || got["method"] != "POST" || got["body"] != "a thing" || len(got["token_sha256"]) != 64 {
			t.Errorf("echo %v", got)
		}
	})
}

func TestAPIThatIsDownCannotBeDialled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		c.op.Fail(providertest.Resource, providertest.Fault{Down: true, Times: 1})
		client := &http.Client{Transport: providertest.NewNetwork(map[string]http.Handler{"api.example": c.op.API("")})}
		if _, err := client.Get("https://api.example/"); !isDialError(err) {
			t.Errorf("%v, want a dial error", err)
		}
	})
}

func TestUserinfoRefusesTokensOfOtherPurpose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		for name, row := range map[string]struct {
			token string
			want  string
		}{
			"token for a resource":  {c.signIn(oauth2.SetAuthURLParam("resource", "https://api.example")).AccessToken, "401"},
			"token without openid":  {c.signIn(oauth2.SetAuthURLParam("scope", "calendar")).AccessToken, "403"},
			"token of userinfo's":   {c.signIn().AccessToken, ""},
			"token that is unknown": {"at_unknown", "401"},
		} {
			_, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: row.token}))
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%s: %v, want %q", name, err, row.want)
			}
		}
	})
}

func TestRevocation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Clients: []providertest.Registration{
			{ID: providertest.ClientID, Secret: providertest.ClientSecret}, {ID: "other", Secret: "other-secret"},
		}})
		token := c.signIn()
		revoke := func(value, id, secret string) int {
			resp, _ := c.post("/revoke", url.Values{"token": {value}}, basic(id, secret))
			return resp.StatusCode
		}
		if got := revoke(token.RefreshToken, "other", "other-secret"); got != 200 {
			t.Errorf("another client's token: %d, want 200 and no effect", got)
		}
		if got := revoke(token.RefreshToken, "other", "guess"); got != 401 {
			t.Errorf("wrong secret: %d", got)
		}
		if got := revoke("unknown", c.config.ClientID, c.config.ClientSecret); got != 200 {
			t.Errorf("unknown token: %d", got)
		}
		if got := revoke(token.AccessToken, c.config.ClientID, c.config.ClientSecret); got != 200 || c.callAPI("", token.AccessToken) != 401 {
			t.Errorf("access token: %d, and it still works", got)
		}
		fresh, err := c.refresh(token.RefreshToken)
		if err != nil {
			t.Fatalf("the access token took the grant along: %v", err)
		}
		if got := revoke(fresh.RefreshToken, c.config.ClientID, c.config.ClientSecret); got != 200 {
			t.Errorf("refresh token: %d", got)
		}
		if code, _ := oauthErr(second(c.refresh(fresh.RefreshToken))); code != "invalid_grant" || c.callAPI("", fresh.AccessToken) != 401 {
			t.Errorf("after the revocation: %q", code)
		}
		if got := c.op.Stats().Revocations; got != 4 {
			t.Errorf("%d revocations, want 4", got)
		}
	})
}

func TestAdministratorRevokesOneUserOrAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		alice := c.signIn()
		c.browser.ClearCookies()
		c.op.RevokeUser("sub-bob")
		if got := c.op.Stats().LiveGrants; got != 1 {
			t.Errorf("%d live grants after bob's were revoked, want 1", got)
		}
		c.op.RevokeUser("sub-alice")
		if code, _ := oauthErr(second(c.refresh(alice.RefreshToken))); code != "invalid_grant" {
			t.Errorf("alice's refresh: %q", code)
		}
		c.signIn()
		c.op.RevokeAll()
		if got := c.op.Stats(); got.LiveGrants != 0 || got.ReuseDetected != 0 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestRPInitiatedLogout(t *testing.T) {
	registered := providertest.Registration{ID: providertest.ClientID, Secret: providertest.ClientSecret, PostLogoutRedirectURIs: []string{"https://app.example/bye?x=1"}}
	const good = "https://app.example/bye?x=1"
	for name, row := range map[string]struct {
		hint   func(string) string
		params url.Values
		status int
		ends   string // the URL the browser ends at, or a text of the page
	}{
		"with hint, target and state": {nil, url.Values{"post_logout_redirect_uri": {good}, "state": {"s"}}, 200, good + "&state=s"},
		"with hint only":              {nil, nil, 200, "You are signed out"},
		"with an unregistered target": {nil, url.Values{"post_logout_redirect_uri": {"https://app.example/bye"}}, 400, "not registered"},
		"with a forged hint":          {func(h string) string { return h[:len(h)-8] + "AAAAAAAA" }, nil, 400, "not issued here"},
		"with another client's id":    {nil, url.Values{"client_id": {"other"}}, 400, "another client"},
		"with client_id and target":   {func(string) string { return "" }, url.Values{"client_id": {providertest.ClientID}, "post_logout_redirect_uri": {good}}, 200, good},
		"with a target alone":         {func(string) string { return "" }, url.Values{"post_logout_redirect_uri": {good}}, 400, "needs an id_token_hint"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Algorithm: "ES256", Clients: []providertest.Registration{registered}, AlwaysRefresh: true})
				token := c.signIn(oauth2.SetAuthURLParam("scope", "openid"))
				offline := c.signIn()
				hint := token.Extra("id_token").(string)
				if row.hint != nil {
					hint = row.hint(hint)
				}
				params := url.Values{"id_token_hint": {hint}}
				for k, v := range row.params {
					params[k] = v
				}
				p, err := c.browser.Open(c.op.Issuer() + "/logout?" + params.Encode())
				if err != nil {
					t.Fatal(err)
				}
				if p.Status != row.status || p.URL.String() != row.ends && !strings.Contains(string(p.Body), row.ends) {
					t.Errorf("status %d at %s: %s", p.Status, p.URL, p.Body)
				}
				signedOut := c.response(oauth2.SetAuthURLParam("prompt", "none")).Get("error") == "login_required"
				if signedOut != (row.status == 200) {
					t.Errorf("signed out at the provider: %v", signedOut)
				}
				if _, err := c.refresh(token.RefreshToken); (err != nil) != signedOut {
					t.Errorf("the grant that is not offline: %v", err)
				}
				if _, err := c.refresh(offline.RefreshToken); err != nil {
					t.Errorf("the offline grant: %v", err)
				}
			})
		})
	}
}

func TestSecretsAreAllThatPassedThrough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{AccessTokens: providertest.JWT, Clients: []providertest.Registration{
			{ID: providertest.ClientID, Secret: providertest.ClientSecret}, {ID: "public"},
		}})
		code := c.response().Get("code")
		token, err := c.config.Exchange(c.ctx, code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		got := c.op.Secrets()
		for name, secret := range map[string]string{
			"state": state, "nonce": nonce, "verifier": verifier, "code": code, "client secret": providertest.ClientSecret,
			"access token": token.AccessToken, "refresh token": token.RefreshToken, "ID token": token.Extra("id_token").(string),
			"login cookie": c.browser.Cookies(c.op.Issuer())[0].Value,
		} {
			if !slices.Contains(got, secret) {
				t.Errorf("the %s is missing", name)
			}
		}
		if slices.Contains(got, "") {
			t.Error("an empty secret is found in every log")
		}
	})
}

func TestUnknownPathIsNotFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{Issuer: "https://op.example/a"})
		for _, path := range []string{"/", "/token", "/a/tokens", "/a"} {
			resp, err := op.Client().Get("https://op.example" + path)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 404 {
				t.Errorf("%s: %d", path, resp.StatusCode)
			}
		}
	})
}

func TestConfigThatCannotWorkPanics(t *testing.T) {
	for reason, cfg := range map[string]providertest.Config{
		"Config.Issuer":      {Issuer: "op.example"},
		"Config.Algorithm":   {Algorithm: "HS256"},
		"without ID":         {Clients: []providertest.Registration{{Secret: "x"}}},
		"unknown AuthMethod": {Clients: []providertest.Registration{{ID: "x", AuthMethod: "private_key_jwt"}}},
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, reason) {
					t.Errorf("panic %q, want one about %s", text, reason)
				}
			}()
			providertest.New(cfg)
		}()
	}
}
