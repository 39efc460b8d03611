package providers_test

import (
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

const (
	tenantA = "11111111-2222-3333-4444-555555555555"
	tenantB = "99999999-2222-3333-4444-555555555555"
)

// TestContract5EntraIssuers: openIdIssuer of an auth.json in the forms that occur.
func TestContract5EntraIssuers(t *testing.T) {
	const (
		login     = "https://login.microsoftonline.com/"
		consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
		document  = "/.well-known/openid-configuration"
	)
	for _, row := range []struct{ given, issuer, alias, document string }{
		{login + tenantA + "/v2.0", login + tenantA + "/v2.0", "https://sts.windows.net/" + tenantA + "/", ""},
		{login + tenantA + "/v2.0/", login + tenantA + "/v2.0", "https://sts.windows.net/" + tenantA + "/", ""},
		{"https://sts.windows.net/" + tenantA + "/", "https://sts.windows.net/" + tenantA + "/", login + tenantA + "/v2.0", login + tenantA + document},
		{"https://sts.windows.net/" + tenantA, "https://sts.windows.net/" + tenantA + "/", login + tenantA + "/v2.0", login + tenantA + document},
		{login + tenantA, "https://sts.windows.net/" + tenantA + "/", login + tenantA + "/v2.0", login + tenantA + document},
		{login + "common/v2.0", login + "{tenantid}/v2.0", "https://sts.windows.net/{tenantid}/", login + "common/v2.0" + document},
		{login + "organizations/v2.0", login + "{tenantid}/v2.0", "https://sts.windows.net/{tenantid}/", login + "common/v2.0" + document},
		{login + "common", "https://sts.windows.net/{tenantid}/", login + "{tenantid}/v2.0", login + "common" + document},
		{login + "consumers/v2.0", login + consumers + "/v2.0", "https://sts.windows.net/" + consumers + "/", ""},
		{"https://login.microsoftonline.us/" + tenantA + "/v2.0", "https://login.microsoftonline.us/" + tenantA + "/v2.0", "https://sts.windows.net/" + tenantA + "/", ""},
		{"https://login.partner.microsoftonline.cn/" + tenantA + "/v2.0", "https://login.partner.microsoftonline.cn/" + tenantA + "/v2.0", "https://sts.chinacloudapi.cn/" + tenantA + "/", ""},
		{"https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/v2.0/", "", "", "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_in/v2.0" + document},
		{"https://contoso.ciamlogin.com/" + tenantA + "/v2.0", "", "", "https://contoso.ciamlogin.com/" + tenantA + "/v2.0" + document},
		{login + "contoso.onmicrosoft.com/v2.0", "", "", login + "contoso.onmicrosoft.com/v2.0" + document},
		{"https://login.microsoftonline.com.evil.example/" + tenantA + "/v2.0", "", "", "https://login.microsoftonline.com.evil.example/" + tenantA + "/v2.0" + document},
	} {
		cfg := providers.EntraIDIssuer(row.given, "id", secretOf, tenantA)
		if alias := strings.Join(cfg.Quirks.IssuerAliases, " "); cfg.Issuer != row.issuer || alias != row.alias || cfg.DiscoveryURL != row.document {
			t.Errorf("%s is\n\t%s\n\t%s\n\t%s", row.given, cfg.Issuer, alias, cfg.DiscoveryURL)
		}
		if _, err := providers.NewOIDC(cfg); err != nil {
			t.Errorf("%s: %v", row.given, err)
		}
	}
	for given, reason := range map[string]string{"": "Issuer: is empty", "contoso": "Issuer: is not an absolute URL", "http://sts.windows.net/x/": "Issuer: is http"} {
		if _, err := providers.NewOIDC(providers.EntraIDIssuer(given, "id", secretOf)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v", given, err)
		}
	}
	_, err := providers.NewOIDC(providers.EntraIDIssuer(login+"common/v2.0", "id", secretOf))
	if err == nil || !strings.Contains(err.Error(), "list the tenant IDs") {
		t.Errorf("JWT8 every tenant there is: %v", err)
	}
}

// entraRig is a provider whose tenants are issuers of their own, in two versions.
func entraRig(t *testing.T, change ...func(*providers.OIDCConfig)) *rig {
	t.Helper()
	r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2}, append([]func(*providers.OIDCConfig){likeEntra, func(c *providers.OIDCConfig) {
		c.Issuer = "https://op.example/{tenantid}/v2.0"
		c.DiscoveryURL = "https://op.example/.well-known/openid-configuration"
		c.Tenants = []string{tenantA}
		c.Quirks.IssuerAliases = []string{"https://sts.example/{tenantid}/"}
	}}, change...)...)
	r.op.Mutate(providertest.Mutations{
		Discovery: func(doc map[string]any) { doc["issuer"] = "https://op.example/{tenantid}/v2.0" },
		JWKS: func(set map[string]any) {
			for _, k := range set["keys"].([]any) {
				k.(map[string]any)["issuer"] = "https://op.example/{tenantid}/v2.0"
			}
		},
	})
	return r
}

// tenant makes a token one of this tenant's, in one of the two spellings.
func tenant(issuer, tid string) func(*providertest.Draft) {
	return both(set("iss", strings.Replace(issuer, "{tenantid}", tid, 1)), set("tid", tid), set("aud", providertest.ClientID))
}

// TestEntraTokensOfBothVersionsAreOneUsers: the registration decides about the
// version of access tokens, whatever version signs users in.
func TestEntraTokensOfBothVersionsAreOneUsers(t *testing.T) {
	const v1, v2 = "https://sts.example/{tenantid}/", "https://op.example/{tenantid}/v2.0"
	for _, row := range []struct {
		name   string
		change func(*providertest.Draft)
		reason string
	}{
		{name: "version 2.0", change: tenant(v2, tenantA)},
		{name: "version 1.0", change: tenant(v1, tenantA)},
		{name: "JWT8 a tenant that is not on the list", change: tenant(v2, tenantB), reason: "tid is not an allowed tenant"},
		{name: "JWT8 the same in version 1.0", change: tenant(v1, tenantB), reason: "tid is not an allowed tenant"},
		{name: "JWT8 an issuer of another tenant", change: both(tenant(v1, tenantB), set("tid", tenantA)), reason: "iss is not the provider's issuer"},
		{name: "JWT8 no tid", change: both(tenant(v1, tenantA), without("tid")), reason: "tid is not an allowed tenant"},
		{name: "JWT7 the template itself", change: both(tenant(v1, tenantA), set("iss", v1)), reason: "iss is not the provider's issuer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := entraRig(t)
			identity, _, err := r.VerifyBearer(t.Context(), secretly(r.op.IssueAccessToken("alice", mobile, "", row.change)))
			if row.reason != "" {
				wantError(t, err, providers.Invalid, row.reason)
				return
			}
			if err != nil || identity.Issuer != "https://op.example/"+tenantA+"/v2.0" || identity.Subject != "sub-alice" {
				t.Errorf("%v: %+v", err, identity)
			}
		})
	}
}

// TestEntraKeyOfAnotherIssuerSignsNothing: keys of all tenants and clouds stand in
// one set.
func TestEntraKeyOfAnotherIssuerSignsNothing(t *testing.T) {
	for issuer, good := range map[string]bool{
		"https://op.example/{tenantid}/v2.0":      true,
		"https://sts.example/{tenantid}/":         true,
		"https://sts.example/" + tenantA + "/":    true,
		"https://sts.example/" + tenantB + "/":    false,
		"https://sts.elsewhere/{tenantid}/":       false,
		"https://op.example/" + tenantB + "/v2.0": false,
	} {
		r := entraRig(t)
		r.op.Mutate(providertest.Mutations{
			Discovery: func(doc map[string]any) { doc["issuer"] = "https://op.example/{tenantid}/v2.0" },
			JWKS:      func(set map[string]any) { set["keys"].([]any)[0].(map[string]any)["issuer"] = issuer },
		})
		token := r.op.IssueAccessToken("alice", mobile, "", tenant("https://sts.example/{tenantid}/", tenantA))
		_, _, err := r.VerifyBearer(t.Context(), secretly(token))
		if good && err != nil {
			t.Errorf("a key of %s: %v", issuer, err)
		} else if !good {
			wantError(t, err, providers.Invalid, "signature does not verify")
		}
	}
}

// TestContract5LegacyMicrosoftAccount: who knows the authentication token of the
// older account service finds the ID token there, at a sign-in and at a refresh.
func TestContract5LegacyMicrosoftAccount(t *testing.T) {
	r := newRig(t, providertest.Config{}, likeMSA)
	login := r.signIn()
	if login.Tokens.AuthenticationToken.IsZero() || !login.Tokens.AuthenticationToken.Equal(login.Tokens.IDToken) {
		t.Errorf("%+v", login.Tokens)
	}
	tokens, err := r.refresh(login.Tokens.RefreshToken)
	if err != nil || tokens.AuthenticationToken.IsZero() || tokens.AuthenticationToken.Equal(login.Tokens.AuthenticationToken) {
		t.Errorf("%v: %+v", err, tokens)
	}
	sent := providers.ClientTokens{AuthenticationToken: idTokenOf(nil)(r).IDToken, AccessToken: beside("alice", false)(r).AccessToken}
	login, err = r.LoginWithTokens(t.Context(), sent)
	if err != nil || !login.Tokens.AuthenticationToken.Equal(sent.AuthenticationToken) || !login.Tokens.AccessToken.Equal(sent.AccessToken) {
		t.Errorf("%v: %+v", err, login)
	}
}

// TestVersion1Resource: the parameter resource goes along, a caller's over the
// configured one (contract 1.1, 5).
func TestVersion1Resource(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		c.AuthParams = map[string][]string{"resource": {"https://graph.example"}}
	})
	if _, address := r.begin(); parseURL(t, address).Query().Get("resource") != "https://graph.example" {
		t.Error(address)
	}
	r.params = map[string][]string{"resource": {"https://other.example"}}
	if _, address := r.begin(); parseURL(t, address).Query().Get("resource") != "https://other.example" {
		t.Error(address)
	}
}
