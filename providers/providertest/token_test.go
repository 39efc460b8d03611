package providertest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// post sends a form to the provider and returns status and JSON answer.
func (c *client) post(path string, form url.Values, edit func(*http.Request)) (*http.Response, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.op.Issuer()+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if edit != nil {
		edit(r)
	}
	resp, err := c.op.Client().Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	var answer map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			c.t.Fatalf("answer %q: %v", body, err)
		}
	}
	return resp, answer
}

func basic(id, secret string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
}

// oauthErr is the OAuth error code and description of err.
func oauthErr(err error) (code, description string) {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return e.ErrorCode, e.ErrorDescription
	}
	return "", ""
}

func TestClientAuthentication(t *testing.T) {
	secret := "a secret: with/odd%characters"
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Clients: []providertest.Registration{
			{ID: "any", Secret: secret},
			{ID: "basic", Secret: secret, AuthMethod: "client_secret_basic"},
			{ID: "post", Secret: secret, AuthMethod: "client_secret_post"},
			{ID: "public"},
		}})
		for name, row := range map[string]struct {
			form   url.Values
			edit   func(*http.Request)
			status int // 400: authenticated, and the code is refused
			code   string
		}{
			"basic":                            {nil, basic("any", secret), 400, "invalid_grant"},
			"post":                             {url.Values{"client_id": {"any"}, "client_secret": {secret}}, nil, 400, "invalid_grant"},
			"public client by its id":          {url.Values{"client_id": {"public"}}, nil, 400, "invalid_grant"},
			"confidential client without":      {url.Values{"client_id": {"any"}}, nil, 401, "invalid_client"},
			"wrong secret by basic":            {nil, basic("any", "guess"), 401, "invalid_client"},
			"wrong secret by post":             {url.Values{"client_id": {"any"}, "client_secret": {"guess"}}, nil, 401, "invalid_client"},
			"unknown client":                   {nil, basic("nobody", secret), 401, "invalid_client"},
			"both ways at once":                {url.Values{"client_id": {"any"}, "client_secret": {secret}}, basic("any", secret), 400, "invalid_request"},
			"post where basic was registered":  {url.Values{"client_id": {"basic"}, "client_secret": {secret}}, nil, 401, "invalid_client"},
			"basic where post was registered":  {nil, basic("post", secret), 401, "invalid_client"},
			"basic where basic was registered": {nil, basic("basic", secret), 400, "invalid_grant"},
			"a parameter twice":                {url.Values{"client_id": {"public"}, "code": {"a", "b"}}, nil, 400, "invalid_request"},
		} {
			form := url.Values{"grant_type": {"authorization_code"}, "code": {"unknown"}}
			for k, v := range row.form {
				form[k] = v
			}
			resp, answer := c.post("/token", form, row.edit)
			if resp.StatusCode != row.status || answer["error"] != row.code {
				t.Errorf("%s: %d %v, want %d %s", name, resp.StatusCode, answer, row.status, row.code)
			}
			if asked := resp.Header.Get("WWW-Authenticate") != ""; asked != (row.status == 401 && row.edit != nil) {
				t.Errorf("%s: WWW-Authenticate %q", name, resp.Header.Get("WWW-Authenticate"))
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: the answer may be cached", name)
			}
		}
	})
}

func TestTokenEndpointRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		resp, answer := c.post("/token", url.Values{"grant_type": {"password"}}, basic(c.config.ClientID, c.config.ClientSecret))
		if resp.StatusCode != 400 || answer["error"] != "unsupported_grant_type" {
			t.Errorf("grant type: %d %v", resp.StatusCode, answer)
		}
		resp, err := c.op.Client().Get(c.op.Issuer() + "/token")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
			t.Errorf("GET: %d", resp.StatusCode)
		}
	})
}

func TestCodeIsRefused(t *testing.T) {
	exchange := func(c *client, code string, options ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		return c.config.Exchange(c.ctx, code, options...)
	}
	v := oauth2.VerifierOption(verifier)
	for name, row := range map[string]struct {
		try    func(c *client, code string) error
		reason string
	}{
		"of another client": {func(c *client, code string) error {
			c.config.ClientID, c.config.ClientSecret = "other", "other-secret"
			_, err := exchange(c, code, v)
			return err
		}, "unknown"},
		"after its lifetime": {func(c *client, code string) error {
			time.Sleep(time.Minute + time.Second)
			_, err := exchange(c, code, v)
			return err
		}, "expired"},
		"with another redirect URI": {func(c *client, code string) error {
			_, err := exchange(c, code, v, oauth2.SetAuthURLParam("redirect_uri", callback+"2"))
			return err
		}, "redirect_uri"},
		"with another verifier": {func(c *client, code string) error {
			_, err := exchange(c, code, oauth2.VerifierOption(verifier+"x"))
			return err
		}, "code_verifier"},
		"without a verifier": {func(c *client, code string) error {
			_, err := exchange(c, code)
			return err
		}, "code_verifier"},
		"the second time": {func(c *client, code string) error {
			if _, err := exchange(c, code, v); err != nil {
				return err
			}
			_, err := exchange(c, code, v)
			return err
		}, "used before"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Clients: []providertest.Registration{
					{ID: providertest.ClientID, Secret: providertest.ClientSecret}, {ID: "other", Secret: "other-secret"},
				}})
				code, reason := oauthErr(row.try(c, c.response().Get("code")))
				if code != "invalid_grant" || !strings.Contains(reason, row.reason) {
					t.Errorf("refused with %q, %q; want invalid_grant because %q", code, reason, row.reason)
				}
			})
		})
	}
}

func TestVerifierWithoutChallengeIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{OptionalPKCE: true})
		set := oauth2.SetAuthURLParam
		code := c.response(set("code_challenge", ""), set("code_challenge_method", "")).Get("code")
		if _, err := c.config.Exchange(c.ctx, code, oauth2.VerifierOption(verifier)); err == nil {
			t.Error("a verifier was accepted for a code without challenge")
		}
	})
}

func TestCodeUsedTwiceRevokesWhatItGave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		code := c.response().Get("code")
		token, err := c.config.Exchange(c.ctx, code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		c.config.Exchange(c.ctx, code, oauth2.VerifierOption(verifier))
		if _, err := c.refresh(token.RefreshToken); err == nil {
			t.Error("the refresh token survived")
		}
		if _, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(token)); err == nil {
			t.Error("the access token survived")
		}
		if st := c.op.Stats(); st.CodesReused != 1 || st.CodeExchanges != 2 || st.LiveGrants != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestTokenAnswerTellsLifetimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{AccessTokenLifetime: time.Minute, RefreshTokenLifetime: time.Hour, TellRefreshLifetime: true})
		token := c.signIn()
		if time.Until(token.Expiry) != time.Minute || token.Extra("refresh_expires_in") != 3600.0 || token.TokenType != "Bearer" {
			t.Errorf("expiry in %v, refresh_expires_in %v, type %q", time.Until(token.Expiry), token.Extra("refresh_expires_in"), token.TokenType)
		}
		time.Sleep(time.Hour + time.Second)
		if code, reason := oauthErr(second(c.refresh(token.RefreshToken))); code != "invalid_grant" {
			t.Errorf("refresh after an hour: %q, %q", code, reason)
		}
	})
}

func second[A, B any](_ A, b B) B { return b }

func TestJWTAccessTokenIsOfItsOwnType(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{AccessTokens: providertest.JWT})
		token := c.signIn(oauth2.SetAuthURLParam("resource", "https://api.example"))
		header, claims := decode(t, token.AccessToken)
		if header["typ"] != "at+jwt" || claims["aud"] != "https://api.example" || claims["sub"] != "sub-alice" || claims["client_id"] != providertest.ClientID {
			t.Errorf("header %v, claims %v", header, claims)
		}
	})
}
