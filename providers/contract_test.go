package providers_test

import (
	"net/url"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestContract11OtherParametersGoToTheProvider: those that App Service's users
// pass at the login win over what is configured.
func TestContract11OtherParametersGoToTheProvider(t *testing.T) {
	for name, values := range map[string][2]string{ // configured, and passed
		"prompt":        {"login", "select_account"},
		"access_type":   {"online", "offline"},
		"login_hint":    {"bob@example.com", "alice@example.com"},
		"domain_hint":   {"contoso.com", "fabrikam.com"},
		"resource":      {"https://a.example", "https://b.example"},
		"display":       {"page", "popup"},
		"p":             {"B2C_1_sign_in", "B2C_1_reset"},
		"acr_values":    {"1", "2"},
		"made_up":       {"x", "y"},
		"audience":      {"https://a.example", "https://b.example"},
		"ui_locales":    {"en", "de"},
		"claims_locale": {"en", "de"},
	} {
		r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.AuthParams = url.Values{name: {values[0]}} })
		for _, passed := range []bool{false, true} {
			params, want := url.Values(nil), values[0]
			if passed {
				params, want = url.Values{name: {values[1]}}, values[1]
			}
			flow := providers.NewFlow("op", callback, "/")
			address, err := r.Begin(t.Context(), &flow, params)
			if err != nil {
				t.Fatal(err)
			}
			if got := parseURL(t, address).Query()[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
}

// TestContract5ScopesByDefault: what is asked for where nobody said anything.
func TestContract5ScopesByDefault(t *testing.T) {
	secret := providers.NewSecret("secret")
	custom := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.Scopes = nil })
	for name, row := range map[string]struct {
		provider providers.Provider
		want     string
	}{
		"custom":   {custom, "openid profile email"},
		"facebook": {must(providers.NewFacebook(providers.FacebookConfig{AppID: "1", AppSecret: secret})), ""},
		"github":   {must(providers.NewGitHub(providers.GitHubConfig{ClientID: "app", ClientSecret: secret})), ""},
	} {
		flow := providers.NewFlow("op", callback, "/")
		address, err := row.provider.Begin(t.Context(), &flow, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := parseURL(t, address).Query(); got.Get("scope") != row.want || row.want == "" && got.Has("scope") {
			t.Errorf("%s: scope %q, want %q", name, got["scope"], row.want)
		}
	}
}
