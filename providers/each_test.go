package providers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestContract5EachProvider takes the presets as they are through a server login,
// a refresh or its refusal, a client login and a bearer token, with a provider
// that behaves as theirs.
func TestContract5EachProvider(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, secret := providertest.ClientID, providers.NewSecret(providertest.ClientSecret)
	hour := providertest.Config{AccessTokenLifetime: time.Hour, IDTokenLifetime: time.Hour}
	google, entra, apple := hour, hour, hour
	google.RefreshOnce, google.Rotation = true, providertest.Reusable
	entra.AccessTokens, entra.FrontChannel, entra.Rotation = providertest.EntraV2, true, providertest.ReusableRenewed
	v1 := entra
	v1.AccessTokens = providertest.EntraV1
	apple.NameOnce, apple.AlwaysRefresh = true, true
	apple.Clients = []providertest.Registration{{ID: id, SecretKey: &key.PublicKey}}
	hybridOf := func(c providers.OIDCConfig) providers.OIDCConfig {
		c.ResponseType = providers.CodeWithIDToken
		return c
	}
	for name, row := range map[string]struct {
		op      providertest.Config
		config  providers.OIDCConfig
		params  url.Values
		refresh bool // a sign-in brings a refresh token, and it works
		client  bool // a client may sign its user in with an ID token
	}{
		"google":                 {google, providers.Google(id, secret), nil, true, true},
		"google, not offline":    {google, providers.Google(id, secret), url.Values{"access_type": {""}}, false, true},
		"aad":                    {entra, providers.EntraID(id, secret, tenantA), nil, true, true},
		"aad, hybrid":            {entra, hybridOf(providers.EntraID(id, secret, tenantA)), nil, true, true},
		"aad, version 1.0":       {v1, providers.EntraIDIssuer("https://sts.windows.net/"+tenantA+"/", id, secret), nil, true, true},
		"aad, no offline_access": {entra, providers.EntraID(id, secret, tenantA), url.Values{"scope": {"openid email"}}, false, true},
		"microsoftaccount":       {entra, providers.MicrosoftAccount(id, secret), nil, true, true},
		"apple":                  {apple, providers.Apple(providers.AppleConfig{ClientID: id, TeamID: "T", KeyID: "K", PrivateKey: p8(t, key)}), nil, false, true},
		"custom":                 {hour, providers.OIDCConfig{ClientID: id, ClientSecret: secret}, url.Values{"scope": {"openid offline_access"}}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, row.op, func(c *providers.OIDCConfig) {
					row.config.Name, row.config.Issuer, row.config.DiscoveryURL, row.config.HTTPClient = c.Name, c.Issuer, "", c.HTTPClient
					*c = row.config
				})
				r.params = row.params
				login := r.signIn()
				if login.Identity.Subject != "sub-alice" || login.Tokens.AccessToken.IsZero() || login.Tokens.IDToken.IsZero() || login.Tokens.ExpiresIn != time.Hour {
					t.Errorf("signed in: %+v", login)
				}
				if got := !login.Tokens.RefreshToken.IsZero(); got != row.refresh {
					t.Fatalf("refresh token %v, want %v", got, row.refresh)
				}
				if row.refresh {
					tokens, err := r.refresh(login.Tokens.RefreshToken)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity); err != nil {
						t.Error(err)
					}
				}
				client, err := r.LoginWithTokens(t.Context(), idTokenOf(nil)(r))
				if row.client && (err != nil || client.Identity.Subject != login.Identity.Subject || client.Identity.Issuer != login.Identity.Issuer) {
					t.Errorf("client login: %v, %+v", err, client)
				} else if !row.client {
					wantError(t, err, providers.Incomplete, "no client signs its users in")
				}
				if identity, _, err := r.VerifyBearer(t.Context(), idTokenOf(nil)(r).IDToken); err != nil || identity.Subject != login.Identity.Subject {
					t.Errorf("bearer: %v, %+v", err, identity)
				}
			})
		})
	}
}

// TestContract18GoogleTellsItsRefreshTokenOnce: a later sign-in without
// prompt=consent brings none, which is no reason to forget the first.
func TestContract18GoogleTellsItsRefreshTokenOnce(t *testing.T) {
	r := newRig(t, providertest.Config{RefreshOnce: true, Rotation: providertest.Reusable}, func(c *providers.OIDCConfig) {
		c.Scopes, c.AuthParams = nil, url.Values{"access_type": {"offline"}}
	})
	first, second := r.signIn(), r.signIn()
	if first.Tokens.RefreshToken.IsZero() || !second.Tokens.RefreshToken.IsZero() {
		t.Fatalf("%+v, then %+v", first.Tokens, second.Tokens)
	}
	if _, err := r.refresh(first.Tokens.RefreshToken); err != nil {
		t.Errorf("the first one is as good as ever: %v", err)
	}
}
