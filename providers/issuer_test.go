package providers_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestJWT8KeysAreBoundToTenants: Entra ID publishes all keys in one set, each
// with the issuer it signs for.
func TestJWT8KeysAreBoundToTenants(t *testing.T) {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	template := "https://op.example/{tenantid}/v2.0"
	issuerOf := func(tid string) string { return strings.Replace(template, "{tenantid}", tid, 1) }
	for _, row := range []struct {
		name, keyIssuer, reason string
		claims                  map[string]any
		iss                     string // of the response; empty: none
	}{
		{"allowed tenant", "", "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, ""},
		{"key for every tenant", template, "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, ""},
		{"key of this tenant", issuerOf(tenant), "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, ""},
		{"key of another tenant", issuerOf(other), "signature does not verify", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, ""},
		{"tenant that is not on the list", "", "tid is not an allowed tenant", map[string]any{"tid": other, "iss": issuerOf(other)}, ""},
		{"allowed tid, issuer of another tenant", "", "iss is not", map[string]any{"tid": tenant, "iss": issuerOf(other)}, ""},
		{"no tid", "", "tid is not an allowed tenant", map[string]any{"iss": issuerOf(tenant)}, ""},
		{"the template itself", "", "iss is not", map[string]any{"tid": tenant, "iss": template}, ""},
		{"audience of another application", "", "aud is not", map[string]any{"tid": tenant, "iss": issuerOf(tenant), "aud": "other"}, ""},
		{"MIX2 response of an allowed tenant", "", "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, issuerOf(tenant)},
		{"MIX2 response of another tenant", "", "iss of the response is not", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, issuerOf(other)},
		{"MIX2 response of the template", "", "iss of the response is not", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}, template},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
				c.Issuer, c.Tenants = template, []string{tenant}
				c.DiscoveryURL = "https://op.example/.well-known/openid-configuration"
			})
			r.op.Mutate(providertest.Mutations{
				Discovery: func(doc map[string]any) {
					doc["issuer"] = template
					delete(doc, "authorization_response_iss_parameter_supported")
				},
				Callback: func(params url.Values) {
					if params.Del("iss"); row.iss != "" {
						params.Set("iss", row.iss)
					}
				},
				JWKS: func(set map[string]any) {
					if row.keyIssuer != "" {
						set["keys"].([]any)[0].(map[string]any)["issuer"] = row.keyIssuer
					}
				},
				IDToken: func(d *providertest.Draft) {
					for k, v := range row.claims {
						d.Claims[k] = v
					}
				},
			})
			login, err := r.attempt()
			if row.reason != "" {
				wantError(t, err, providers.Invalid, row.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if login.Identity.Issuer != issuerOf(tenant) {
				t.Errorf("issuer of the identity is %q", login.Identity.Issuer)
			}
		})
	}
}

// TestJWT8KeysOfAnotherIssuerVerifyNothing: Entra ID lists keys that are not for
// the tenant beside those that are, and a key of personal accounts once signed for
// companies, because nobody compared.
func TestJWT8KeysOfAnotherIssuerVerifyNothing(t *testing.T) {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	for _, row := range []struct{ name, keyIssuer, reason string }{
		{"a key for no issuer in particular", "", ""},
		{"a key of the tenant", "https://op.example/" + tenant + "/v2.0", ""},
		{"a key for every tenant", "https://op.example/{tenantid}/v2.0", ""},
		{"a key of the other version", "https://sts.op.example/{tenantid}/", ""},
		{"a key of another tenant", "https://op.example/" + other + "/v2.0", "signature does not verify"},
		{"a key of another cloud", "https://op.china.example/{tenantid}/v2.0", "signature does not verify"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{Issuer: "https://op.example/" + tenant + "/v2.0"}, func(c *providers.OIDCConfig) {
				c.Quirks.IssuerAliases = []string{"https://sts.op.example/" + tenant + "/"}
			})
			r.op.Mutate(providertest.Mutations{
				JWKS:    func(keys map[string]any) { keys["keys"].([]any)[0].(map[string]any)["issuer"] = row.keyIssuer },
				IDToken: set("tid", tenant),
			})
			_, err := r.attempt()
			if row.reason != "" {
				wantError(t, err, providers.Invalid, row.reason)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestIssuerAlias: Google's ID tokens may name their issuer without a scheme.
// The identity is the same.
func TestIssuerAlias(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		c.Quirks.IssuerAliases = []string{"op.example"}
	})
	r.mutateIDToken(set("iss", "op.example"))
	if login := r.signIn(); login.Identity.Issuer != "https://op.example" {
		t.Errorf("issuer %q", login.Identity.Issuer)
	}
	r.mutateIDToken(set("iss", "op.example.evil.example"))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "iss is not")
}
