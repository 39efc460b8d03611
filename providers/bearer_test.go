package providers_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestContract111Bearer is what Authorization: Bearer takes (contract 1.11).
func TestContract111Bearer(t *testing.T) {
	for _, row := range []struct {
		name   string
		format providertest.TokenFormat
		config func(*providers.OIDCConfig)
		change func(*providertest.Draft)
		reason string
	}{
		{name: "Entra ID 2.0", format: providertest.EntraV2},
		{name: "Entra ID 1.0", format: providertest.EntraV1},
		{name: "RFC 9068", format: providertest.JWT, change: set("aud", providertest.ClientID)},
		{name: "RFC 9068 with the whole media type", format: providertest.JWT, change: both(set("aud", providertest.ClientID), typ("application/at+jwt"))},
		{name: "for this application and others", format: providertest.EntraV2, change: set("aud", []string{"x", providertest.ClientID})},
		{name: "of an hour ago", format: providertest.EntraV2, change: at("iat", -time.Hour)},
		{name: "for an audience that is listed", format: providertest.EntraV2, change: set("aud", "https://api.example"), config: func(c *providers.OIDCConfig) {
			c.AllowedAudiences = []string{"https://api.example"}
		}},
		{name: "for an audience that is not listed", format: providertest.EntraV2, change: set("aud", "https://api.example"), reason: "aud is not this application"},
		{name: "JWT6 without an audience", format: providertest.EntraV2, change: without("aud"), reason: "aud is not this application"},
		{name: "for api:// and the client ID, at a provider that is not Entra ID", format: providertest.EntraV1,
			config: func(c *providers.OIDCConfig) { c.AllowedAudiences = nil }, reason: "aud is not this application"},
		{name: "JWT12 a logout token", format: providertest.EntraV2, change: typ("logout+jwt"), reason: "typ is not that of an access token"},
		{name: "JWT12 a token that tells of events", format: providertest.EntraV2, change: set("events", map[string]any{}), reason: "tells of events"},
		{name: "JWT7 another issuer", format: providertest.EntraV2, change: set("iss", "https://evil.example"), reason: "iss is not"},
		{name: "JWT9 expired", format: providertest.EntraV2, change: at("exp", 0), reason: "token has expired"},
		{name: "JWT9 not yet good", format: providertest.EntraV2, change: at("nbf", 10*time.Minute), reason: "nbf is in the future"},
		{name: "JWT10 nobody", format: providertest.EntraV2, change: without("sub"), reason: "sub is missing"},
		{name: "JWT1 unsigned", format: providertest.EntraV2, change: func(d *providertest.Draft) {
			d.Header["alg"], d.Sign = "none", providertest.Unsigned
		}, reason: "algorithm is not allowed"},
		{name: "signed by nobody we know", format: providertest.EntraV2, change: alterSignature, reason: "signature does not verify"},
		{name: "bound to a key", format: providertest.EntraV2, change: set("cnf", map[string]any{"x5t#S256": "x"}), reason: "bound to a key"},
		{name: "opaque", reason: "token is not a JWT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if row.config == nil {
					row.config = func(*providers.OIDCConfig) {}
				}
				r := newRig(t, providertest.Config{AccessTokens: row.format}, likeEntra, row.config)
				token := r.op.IssueAccessToken("alice", mobile, "", func(d *providertest.Draft) {
					if row.format == providertest.EntraV1 {
						d.Claims["aud"] = "api://" + providertest.ClientID
					} else if row.format == providertest.EntraV2 {
						d.Claims["aud"] = providertest.ClientID
					}
					if row.change != nil {
						row.change(d)
					}
				})
				identity, until, err := r.VerifyBearer(t.Context(), secretly(token))
				if row.reason != "" {
					wantError(t, err, providers.Invalid, row.reason)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if identity.Issuer != "https://op.example" || identity.Subject != "sub-alice" || !until.Equal(time.Now().Truncate(time.Second).Add(5*time.Minute)) {
					t.Errorf("%+v until %v", identity, until)
				}
			})
		})
	}
	t.Run("an ID token", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		identity, _, err := r.VerifyBearer(t.Context(), secretly(r.op.IssueIDToken("alice", providertest.ClientID, nil)))
		if err != nil || identity.Subject != "sub-alice" {
			t.Errorf("%v: %v", err, identity)
		}
	})
}
