package providers_test

import (
	"testing"

	"github.com/goeasyauth/easyauth/providers"
)

func TestPresetsAskForARefreshToken(t *testing.T) {
	secret := providers.NewSecret("secret")
	generic := providers.OIDCConfig{Name: "op", Issuer: "https://op.example", ClientID: "app", ClientSecret: secret}
	narrowed := providers.EntraID("app", secret, "9188040d-6c67-4c5b-b112-36a304b66dad")
	narrowed.Scopes = []string{"profile"}
	for _, tt := range []struct {
		name   string
		cfg    providers.OIDCConfig
		wanted bool
	}{
		{"google", providers.Google("app", secret), true},
		{"aad", providers.EntraID("app", secret, "9188040d-6c67-4c5b-b112-36a304b66dad"), true},
		{"hydra", providers.Hydra("https://hydra.example", "app", secret), true},
		{"aad with scopes of its own", narrowed, false},
		{"a provider of which nothing is known", generic, false},
	} {
		p, err := providers.NewOIDC(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.AsksForRefresh(); got != tt.wanted {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.wanted)
		}
	}
}
