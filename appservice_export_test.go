package easyauth

import (
	"github.com/goeasyauth/easyauth/internal/appservice"
	"github.com/goeasyauth/easyauth/providers"
)

// AppServiceProviders is what a file makes of its providers, before they are
// constructed and closed to whoever wants to look.
type AppServiceProviders struct {
	OIDC     map[string]providers.OIDCConfig
	Facebook providers.FacebookConfig
	GitHub   providers.GitHubConfig
	Twitter  providers.TwitterConfig
}

// ReadAppServiceProviders returns the configurations of the providers of a file.
func ReadAppServiceProviders(text []byte, setting func(string) string) AppServiceProviders {
	a := &appService{setting: setting}
	a.Settings, a.Mistakes = appservice.Parse(text, setting)
	p := &a.IdentityProviders
	found := AppServiceProviders{OIDC: make(map[string]providers.OIDCConfig)}
	if p.AzureActiveDirectory.Offered() {
		found.OIDC[appservice.AliasAAD] = a.entraID("", p.AzureActiveDirectory)
	}
	if p.Google.Offered() {
		found.OIDC[appservice.AliasGoogle] = a.google("", p.Google)
	}
	if p.Facebook.Offered() {
		found.Facebook = a.facebook("", p.Facebook)
	}
	if p.GitHub.Offered() {
		found.GitHub = a.gitHub("", p.GitHub)
	}
	if p.Twitter.Offered() {
		found.Twitter = a.twitter("", p.Twitter)
	}
	if p.Apple.Offered() {
		found.OIDC[appservice.AliasApple] = a.apple("", p.Apple)
	}
	if p.LegacyMicrosoftAccount.Offered() {
		found.OIDC[appservice.AliasMicrosoftAccount] = a.microsoftAccount("", p.LegacyMicrosoftAccount)
	}
	for i := range p.OpenIDConnect {
		if o := &p.OpenIDConnect[i]; o.Offered() {
			found.OIDC[o.Alias()] = a.openIDConnect(o)
		}
	}
	return found
}
