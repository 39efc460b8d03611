package providers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestEveryMistakeIsNamedWithItsRemedy pins the texts that operators read.
func TestEveryMistakeIsNamedWithItsRemedy(t *testing.T) {
	var lines strings.Builder
	for _, row := range []struct {
		name   string
		change func(*providers.OIDCConfig)
	}{
		{"nothing at all", func(c *providers.OIDCConfig) { *c = providers.OIDCConfig{} }},
		{"name in capitals", func(c *providers.OIDCConfig) { c.Name = "Google" }},
		{"MIX6 name with a slash", func(c *providers.OIDCConfig) { c.Name = "a/b" }},
		{"name of 33 characters", func(c *providers.OIDCConfig) { c.Name = strings.Repeat("a", 33) }},
		{"issuer by http", issuer("http://op.example")},
		{"issuer by http on loopback's sibling", issuer("http://localhost.evil.example")},
		{"issuer without a scheme", issuer("op.example")},
		{"issuer of another scheme", issuer("ftp://op.example")},
		{"issuer with a query", issuer("https://op.example?x")},
		{"issuer with a fragment", issuer("https://op.example#")},
		{"issuer with a user", issuer("https://a@op.example")},
		{"issuer with a placeholder for its host", issuer("https://{tenantid}.op.example")},
		{"issuer with two placeholders", issuer("https://op.example/{tenantid}/{tenantid}")},
		{"discovery by http", func(c *providers.OIDCConfig) { c.DiscoveryURL = "http://op.example/configuration" }},
		{"scopes in one string", func(c *providers.OIDCConfig) { c.Scopes = []string{"openid profile"} }},
		{"scope among the parameters", params("scope", "openid")},
		{"LOG4 state among the parameters", params("state", "fixed")},
		{"LOG4 its other spelling", params("Redirect.Uri", "https://evil.example")},
		{"parameter that repeats", func(c *providers.OIDCConfig) { c.AuthParams = url.Values{"prompt": {"login", "consent"}} }},
		{"parameter without a value", func(c *providers.OIDCConfig) { c.AuthParams = url.Values{"prompt": nil} }},
		{"parameter with a strange name", params("a b", "1")},
		{"max_age of words", params("max_age", "soon")},
		{"JWT8 no tenants", issuer("https://op.example/{tenantid}/v2.0")},
		{"JWT8 tenant common", func(c *providers.OIDCConfig) { *c = providers.EntraID("id", c.ClientSecret, "common") }},
		{"JWT8 no tenant at all", func(c *providers.OIDCConfig) { *c = providers.EntraID("id", c.ClientSecret) }},
		{"JWT8 tenant by domain", func(c *providers.OIDCConfig) { c.Tenants = []string{"contoso.com"} }},
		{"JWT7 no issuer for an alias", alias("")},
		{"JWT8 every tenant for an alias of one", alias("https://sts.op.example/{tenantid}/")},
		{"JWT1 algorithm none", func(c *providers.OIDCConfig) { c.Algorithms = []string{"none"} }},
		{"JWT2 HS256 with a short secret", func(c *providers.OIDCConfig) {
			c.Algorithms, c.ClientSecret = []string{"HS256"}, providers.NewSecret("short")
		}},
		{"JWT2 HS256 without a secret", func(c *providers.OIDCConfig) {
			c.Algorithms, c.ClientSecret, c.ResponseType = []string{"HS256"}, providers.Secret{}, providers.InsecureIDTokenOnly
		}},
		{"G15 unknown auth style", func(c *providers.OIDCConfig) { c.AuthStyle = oauth2.AuthStyle(7) }},
		{"graced without a window", func(c *providers.OIDCConfig) { c.Refresh.Class = providers.Graced }},
		{"window without grace", func(c *providers.OIDCConfig) { c.Refresh.Window = time.Minute }},
		{"unknown replay class", func(c *providers.OIDCConfig) { c.Refresh.Class = 9 }},
		{"negative lifetime", func(c *providers.OIDCConfig) { c.Refresh.Lifetime = -1 }},
	} {
		p, err := providers.NewOIDC(config(row.change))
		if err == nil || p != nil {
			t.Errorf("%s: accepted", row.name)
			continue
		}
		if strings.Contains(err.Error(), "secret-for-tests") || strings.Contains(err.Error(), "short\"") {
			t.Errorf("%s: the secret is in the text", row.name)
		}
		lines.WriteString(row.name + "\n\t" + strings.ReplaceAll(err.Error(), "\n", "\n\t") + "\n")
	}
	golden(t, "mistakes.txt", lines.String())
}

func issuer(v string) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) { c.Issuer = v }
}

func alias(v string) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) { c.Quirks.IssuerAliases = []string{v} }
}

func params(name, value string) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) { c.AuthParams = url.Values{name: {value}} }
}

// TestConfigurationIsCopied: nobody changes a provider after it was made.
func TestConfigurationIsCopied(t *testing.T) {
	hints, scopes := url.Values{"domain_hint": {"example.com"}}, []string{"openid"}
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.AuthParams, c.Scopes = hints, scopes })
	hints.Set("state", "fixed")
	hints["domain_hint"][0] = "evil.example"
	scopes[0] = "everything"
	_, address := r.begin()
	if q := parseURL(t, address).Query(); q.Get("domain_hint") != "example.com" || q.Get("scope") != "openid" {
		t.Error(address)
	}
}
