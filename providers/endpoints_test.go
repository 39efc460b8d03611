package providers_test

import (
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func endpoints(c *providers.OIDCConfig) {
	c.Endpoints = providers.Endpoints{
		Authorization: "https://op.example/authorize", Token: "https://op.example/token", Keys: "https://op.example/jwks",
	}
}

// TestEndpointsAreTakenAsTheyStand: contract section 4, openIdConnectConfiguration
// without wellKnownOpenIdConfiguration.
func TestEndpointsAreTakenAsTheyStand(t *testing.T) {
	r := newRig(t, providertest.Config{}, endpoints)
	login := r.signIn()
	if _, err := r.refresh(login.Tokens.RefreshToken); err != nil {
		t.Error(err)
	}
	if n := r.op.Stats().Requests[providertest.Discovery]; n != 0 {
		t.Errorf("%d fetches of the discovery document", n)
	}
	if claims, err := r.UserInfo(t.Context(), login.Tokens.AccessToken, login.Identity.Subject); err != nil || claims.Len() != 0 {
		t.Errorf("userinfo that nobody told of: %v, %v", claims, err)
	}
	if u := r.EndSessionURL(t.Context(), providers.EndSessionRequest{}); u != "" {
		t.Errorf("end session that nobody told of: %s", u)
	}
}

func TestEndpointMistakes(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*providers.OIDCConfig)
		reason string
	}{
		{"no token endpoint", func(c *providers.OIDCConfig) { c.Endpoints.Token = "" }, "Endpoints.Token: is not an absolute URL"},
		{"no keys", func(c *providers.OIDCConfig) { c.Endpoints.Keys = "" }, "Endpoints.Keys: is not an absolute URL"},
		{"IDP2 plain http", func(c *providers.OIDCConfig) { c.Endpoints.Token = "http://op.example/token" }, "Endpoints.Token: is not an https URL"},
		{"IDP2 an address", func(c *providers.OIDCConfig) { c.Endpoints.UserInfo = "https://169.254.169.254/" }, "Endpoints.UserInfo: has an IP address"},
		{"an empty group", func(c *providers.OIDCConfig) { c.Access.AllowedGroups = []string{"g", ""} }, "Access.AllowedGroups: has an empty element"},
		{"an empty audience", func(c *providers.OIDCConfig) { c.AllowedAudiences = []string{""} }, "AllowedAudiences: has an empty element"},
		{"an unknown client token", func(c *providers.OIDCConfig) { c.ClientLogin.Tokens = []providers.ClientToken{9} }, "ClientLogin.Tokens: 9 is not known"},
		{"a negative age", func(c *providers.OIDCConfig) { c.ClientLogin.MaxAge = -1 }, "ClientLogin.MaxAge: is negative"},
		{"an unknown response type", func(c *providers.OIDCConfig) { c.ResponseType = 9 }, "ResponseType: 9 is not known"},
		{"no secret for passwords", func(c *providers.OIDCConfig) { implicit(c); c.InsecurePasswordGrant = true }, "passwords and codes are traded with it"},
		{"a secret that changes, for HS256", func(c *providers.OIDCConfig) {
			secret := c.ClientSecret
			c.ClientSecret, c.Algorithms = providers.Secret{}, []string{"HS256"}
			c.ClientSecretSource = func() (providers.Secret, error) { return secret, nil }
		}, "HS256 needs a client secret that stays the same"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := providers.NewOIDC(config(endpoints, row.change))
			if err == nil || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("error %v, want %s", err, row.reason)
			}
		})
	}
}
