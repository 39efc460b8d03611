package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
)

// api is the application's address among the provider's resources.
const api = "https://api.example"

// forPrograms lets programs in: with session tokens, and with the provider's own.
func forPrograms(c *easyauth.Config) {
	c.SigningKeys = []providers.Secret{easyauth.NewKey()}
	c.BearerProviders = []string{"oidc"}
}

// A telephone signs its user in at the provider by itself, as a client of its
// own, and brings the application what it got.
func TestContract14TokensOfATelephone(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startAppWith(t, op, setup{App: forPrograms, Provider: func(c *providers.OIDCConfig) {
		c.AllowedAudiences = []string{clientIDPhone, api}
		c.ClientLogin.Tokens = []providers.ClientToken{providers.ClientIDToken, providers.ClientAccessToken}
	}})
	phone, other := telephone(op), relyingParty(op)
	other.ClientID = clientIDFront
	idToken := func(conf *oauth2.Config) string {
		token, _ := signInWithoutEasyauth(t, conf).Extra("id_token").(string)
		return token
	}
	ours := idToken(phone)

	for name, row := range map[string]struct {
		body   map[string]string
		status int
		reason string // in the log
	}{
		"an ID token":                          {map[string]string{"id_token": ours}, http.StatusOK, "signed in"},
		"an access token for the API":          {map[string]string{"access_token": accessToken(t, phone, "ada", api)}, http.StatusOK, "signed in"},
		"CDL1 an ID token of another client":   {map[string]string{"id_token": idToken(other)}, http.StatusUnauthorized, "aud is not"},
		"CDL1 an access token of another API":  {map[string]string{"access_token": accessToken(t, phone, "ada", "https://other.example")}, http.StatusUnauthorized, "aud is not"},
		"CDL2 an access token for userinfo":    {map[string]string{"access_token": signInWithoutEasyauth(t, phone).AccessToken}, http.StatusUnauthorized, "sign_in_invalid"},
		"CDL4 an access token of another user": {map[string]string{"id_token": ours, "access_token": accessToken(t, phone, "mallory", api)}, http.StatusUnauthorized, "the tokens"},
		"a changed ID token":                   {map[string]string{"id_token": ours[:len(ours)-6] + "AAAAAA"}, http.StatusUnauthorized, "signature does not verify"},
		"no token":                             {map[string]string{"refresh_token": "anything"}, http.StatusBadRequest, "there is no id_token"},
	} {
		t.Run(name, func(t *testing.T) {
			v, logged := a.Visitor(), len(a.logs.String())
			answer := v.post(a.URL+"/.auth/login/oidc", row.body)
			if answer.Status != row.status {
				t.Errorf("answered %d %s, want %d", answer.Status, answer.Text, row.status)
			}
			if log := a.logs.String()[logged:]; !strings.Contains(log, row.reason) {
				t.Errorf("not because of %q:\n%s", row.reason, log)
			}
			if row.status != http.StatusOK {
				return
			}
			token := v.sessionToken(answer)
			if p := v.with(http.MethodGet, a.URL+"/account", "", map[string]string{"X-ZUMO-AUTH": token}); p.Text != "account of ada" {
				t.Errorf("signed in, and answered %d %s", p.Status, p.Text)
			}
		})
	}
}

func TestContract111AccessTokensOfTheProviderAreTaken(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startAppWith(t, op, setup{App: forPrograms, Provider: func(c *providers.OIDCConfig) { c.AllowedAudiences = []string{api} }})
	phone, v := telephone(op), a.SignedIn("ada")
	ours := accessToken(t, phone, "ada", api)
	for name, row := range map[string]struct {
		token  string
		status int
	}{
		"for the API":          {ours, http.StatusOK},
		"JWT6 for another API": {accessToken(t, phone, "ada", "https://other.example"), http.StatusUnauthorized},
		"for userinfo, opaque": {signInWithoutEasyauth(t, phone).AccessToken, http.StatusUnauthorized},
		"changed":              {ours[:len(ours)-6] + "AAAAAA", http.StatusUnauthorized},
	} {
		if got := a.bearer(row.token); got.Status != row.status {
			t.Errorf("%s: %d %s, want %d", name, got.Status, got.Text, row.status)
		} else if row.status == http.StatusUnauthorized && !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: challenged by %q", name, got.Header.Get("WWW-Authenticate"))
		}
	}
	// A token that is no good makes a stranger, whatever the cookie says.
	if got := v.with(http.MethodGet, a.URL+"/account", "", map[string]string{"Authorization": "Bearer " + ours + "A"}); got.Status != http.StatusUnauthorized {
		t.Errorf("a bad token beside a cookie: %d %s", got.Status, got.Text)
	}
	if got := a.bearer(ours); got.Text != "account of ada" || len(got.Header.Values("Set-Cookie")) != 0 {
		t.Errorf("%q, cookies %v", got.Text, got.Header.Values("Set-Cookie"))
	}
}

// telephone is a client of its own of the same owner.
func telephone(op *oidcProvider) *oauth2.Config {
	conf := relyingParty(op)
	conf.ClientID, conf.ClientSecret, conf.Endpoint.AuthStyle = clientIDPhone, "", oauth2.AuthStyleInParams
	return conf
}

// accessToken signs somebody in at the provider for one of its resources (RFC 8707), which
// makes the access token a JWT.
func accessToken(t *testing.T, conf *oauth2.Config, name, resource string) string {
	t.Helper()
	asked, verifier := oauth2.SetAuthURLParam("resource", resource), oauth2.GenerateVerifier()
	with := *conf
	with.Scopes = append([]string{"read"}, conf.Scopes...)
	token, err := with.Exchange(t.Context(), codeWithoutEasyauth(t, &with, name, verifier, asked), oauth2.VerifierOption(verifier), asked)
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// bearer asks for the account with an access token, as an application with a
// provider's SDK does.
func (a *app) bearer(token string) page {
	a.t.Helper()
	v := a.Visitor()
	v.seen.Note(token)
	return v.with(http.MethodGet, a.URL+"/account", "", map[string]string{"Authorization": "Bearer " + token})
}

// post sends members as a client's sign-in.
func (v *visitor) post(target string, members map[string]string) page {
	v.t.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.with(http.MethodPost, target, string(body), map[string]string{"Content-Type": "application/json"})
}

// sessionToken is what a client's sign-in brought.
func (v *visitor) sessionToken(answer page) string {
	v.t.Helper()
	var login struct {
		Token string `json:"authenticationToken"`
	}
	if err := json.Unmarshal(answer.Body, &login); err != nil || login.Token == "" {
		v.t.Fatalf("answered %d without a session token: %v: %s", answer.Status, err, answer.Text)
	}
	v.seen.Note(login.Token)
	return login.Token
}
