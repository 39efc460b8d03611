package providertest_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

const callback = "https://app.example/callback"

// client is an OpenID client made of go-oidc and x/oauth2, which know nothing
// of this package.
type client struct {
	t        *testing.T
	op       *providertest.Server
	ctx      context.Context
	provider *oidc.Provider
	config   oauth2.Config
	browser  *providertest.Browser
	app      *app
}

// app is the application's callback: it keeps what it was sent.
type app struct{ got []url.Values }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	a.got = append(a.got, r.Form)
	fmt.Fprintln(w, "done")
}

func newClient(t *testing.T, cfg providertest.Config) *client {
	t.Helper()
	cfg.Algorithm = cmp.Or(cfg.Algorithm, "ES256") // its keys cost nothing
	op := providertest.New(cfg)
	a := &app{}
	network := providertest.NewNetwork(map[string]http.Handler{op.Host(): op, "app.example": a})
	ctx := oidc.ClientContext(t.Context(), op.Client())
	p, err := oidc.NewProvider(ctx, op.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	id := providertest.Registration{ID: providertest.ClientID, Secret: providertest.ClientSecret}
	if len(cfg.Clients) > 0 {
		id = cfg.Clients[0]
	}
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return &client{t: t, op: op, ctx: ctx, provider: p, browser: providertest.NewBrowser(network), app: a, config: oauth2.Config{
		ClientID: id.ID, ClientSecret: id.Secret, RedirectURL: callback,
		Endpoint: endpoint, Scopes: []string{"openid", "profile", "email", "offline_access"},
	}}
}

const (
	state    = "the-state-of-this-attempt"
	nonce    = "the-nonce-of-this-attempt"
	verifier = "the-verifier-of-this-attempt-0123456789-0123456789"
)

func (c *client) authURL(options ...oauth2.AuthCodeOption) string {
	options = append([]oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}, options...)
	return c.config.AuthCodeURL(state, options...)
}

// response signs alice in and returns the parameters that the callback got.
func (c *client) response(options ...oauth2.AuthCodeOption) url.Values {
	c.t.Helper()
	before := len(c.app.got)
	p, err := c.browser.SignIn(c.authURL(options...), "alice")
	if err != nil {
		c.t.Fatal(err)
	}
	if len(c.app.got) == before {
		c.t.Fatalf("no response at the callback, but status %d at %s: %s", p.Status, p.URL, p.Body)
	}
	return c.app.got[len(c.app.got)-1]
}

func (c *client) signIn(options ...oauth2.AuthCodeOption) *oauth2.Token {
	c.t.Helper()
	token, err := c.config.Exchange(c.ctx, c.response(options...).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

func (c *client) refresh(refreshToken string) (*oauth2.Token, error) {
	return c.config.TokenSource(c.ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
}

func (c *client) verify(token *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	return c.provider.VerifierContext(c.ctx, &oidc.Config{ClientID: c.config.ClientID}).Verify(c.ctx, raw)
}

// bubble runs f in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestGoOIDCAndOAuth2SignInRefreshAndReadUserinfo(t *testing.T) {
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Algorithm: algorithm})
				token := c.signIn()
				id, err := c.verify(token)
				if err != nil {
					t.Fatal(err)
				}
				if id.Subject != "sub-alice" || id.Nonce != nonce || id.VerifyAccessToken(token.AccessToken) != nil {
					t.Errorf("sub %q, nonce %q, at_hash %v", id.Subject, id.Nonce, id.VerifyAccessToken(token.AccessToken))
				}
				info, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(token))
				if err != nil || info.Email != "alice@example.com" || info.Subject != id.Subject {
					t.Errorf("userinfo %+v, %v", info, err)
				}
				time.Sleep(6 * time.Minute)
				if _, err := c.verify(token); err == nil {
					t.Error("the ID token outlived its lifetime")
				}
				fresh, err := c.refresh(token.RefreshToken)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := c.verify(fresh); err != nil || again.Subject != id.Subject || again.Nonce != "" {
					t.Errorf("ID token of the refresh: %+v, %v", again, err)
				}
				out, err := c.browser.Open(c.op.Issuer() + "/logout?id_token_hint=" + fresh.Extra("id_token").(string))
				if err != nil || out.Status != 200 {
					t.Errorf("logout with the fresh ID token: %v, %s", err, out.Body)
				}
				if fresh.AccessToken == token.AccessToken || fresh.RefreshToken == token.RefreshToken {
					t.Error("the refresh returned the old tokens")
				}
			})
		})
	}
}

func oauthContext(t *testing.T, rt http.RoundTripper) context.Context {
	return context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: rt})
}
