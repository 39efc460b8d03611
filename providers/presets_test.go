package providers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
)

var secretOf = providers.NewSecret("the client secret of the presets, long enough")

// presets are all of them, with the issuer that their provider publishes.
func presets() map[string]providers.OIDCConfig {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	return map[string]providers.OIDCConfig{
		"Google":                   providers.Google("id", secretOf),
		"EntraID, one tenant":      providers.EntraID("id", secretOf, tenant),
		"EntraID, several tenants": providers.EntraID("id", secretOf, tenant, other),
		"MicrosoftAccount":         providers.MicrosoftAccount("id", secretOf),
		"EntraIDIssuer, version 1": providers.EntraIDIssuer("https://sts.windows.net/"+tenant+"/", "id", secretOf),
		"Apple":                    providers.Apple(providers.AppleConfig{ClientID: "id", ClientSecret: secretOf}),
		"Okta":                     providers.Okta("https://example.okta.com/oauth2/default", "id", secretOf),
		"Auth0":                    providers.Auth0("example.eu.auth0.com", "id", secretOf),
		"Keycloak":                 providers.Keycloak("https://keycloak.example/", "my realm", "id", secretOf),
		"Hydra":                    providers.Hydra("https://hydra.example", "id", secretOf),
		"Dex":                      providers.Dex("https://dex.example/dex", "id", secretOf),
		"Duende":                   providers.Duende("https://ids.example", "id", secretOf),
	}
}

// TestPresets pins what each preset says, and the authorization request it
// leads to.
func TestPresets(t *testing.T) {
	all := presets()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		cfg := all[name]
		asked := ""
		cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.String()
			w := httptest.NewRecorder()
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": cfg.Issuer, "authorization_endpoint": "https://provider.example/authorize",
				"token_endpoint": "https://provider.example/token", "jwks_uri": "https://provider.example/keys"})
			return w.Result(), nil
		})}
		p, err := providers.NewOIDC(cfg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		flow := fixedFlow()
		address, err := p.Begin(t.Context(), &flow, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.RefreshPolicy() != cfg.Refresh || p.Name() != cfg.Name {
			t.Errorf("%s: %+v", name, p.RefreshPolicy())
		}
		fmt.Fprintf(&text, "%s\n\tname    %s\n\tissuer  %s %v\n\trefresh %v", name, cfg.Name, cfg.Issuer, cfg.Tenants, cfg.Refresh.Class)
		fmt.Fprintf(&text, ", window %v, lifetime %v, sliding %v\n", cfg.Refresh.Window, cfg.Refresh.Lifetime, cfg.Refresh.Sliding)
		fmt.Fprintf(&text, "\tclients %v, age %v, any presenter %v, code %v, audiences %v\n", cfg.ClientLogin.Tokens, cfg.ClientLogin.MaxAge,
			cfg.ClientLogin.AnyPresenter, cfg.ClientLogin.AuthorizationCode, cfg.AllowedAudiences)
		fmt.Fprintf(&text, "\tquirks  %+v\n\tasks    %s\n\tsends   %s\n", cfg.Quirks, asked, strings.ReplaceAll(address, "&", "\n\t\t&"))
	}
	golden(t, "presets.txt", text.String())
}
