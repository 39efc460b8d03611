package devprovider

import (
	"crypto/sha256"
	"fmt"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// registration is the application at the provider, once for each name that it
// knows it by.
func registration(name, routes string) providertest.Registration {
	return providertest.Registration{
		ID:                     clientID(name),
		Secret:                 providertest.ClientSecret,
		RedirectURIs:           []string{routes + "/login/" + name + "/callback"},
		PostLogoutRedirectURIs: []string{routes + "/logout/complete"},
	}
}

// configuration is the provider as the application knows it by that name. What
// clients may bring to sign in with, and whether there is anything to refresh, is
// as at the provider that has the name.
func configuration(name, issuer string) providers.OIDCConfig {
	id, secret := clientID(name), providers.NewSecret(providertest.ClientSecret)
	cfg := providers.OIDCConfig{
		Name:         name,
		Issuer:       issuer,
		ClientID:     id,
		ClientSecret: secret,
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
		Quirks:       providers.Quirks{OfflineWithoutConsent: true}, // one page to sign in on, not two
	}
	var real providers.OIDCConfig
	switch name {
	case "aad":
		real = providers.EntraID(id, secret)
	case "microsoftaccount":
		real = providers.MicrosoftAccount(id, secret)
	case "google":
		real = providers.Google(id, secret)
	case "apple":
		real = providers.Apple(providers.AppleConfig{ClientID: id, ClientSecret: secret})
	}
	cfg.ClientLogin, cfg.NoRefresh, cfg.AllowedAudiences = real.ClientLogin, real.NoRefresh, real.AllowedAudiences
	cfg.Quirks.AuthenticationToken = real.Quirks.AuthenticationToken
	return cfg
}

// clientID is not the same for two names: an ID token tells by its audience
// under which one somebody signed in.
func clientID(name string) string {
	if name == Name {
		return providertest.ClientID
	}
	return name
}

// dress adds to an ID token what applications look for in one of the provider
// whose name is used. It proves no more than the rest.
func dress(d *providertest.Draft) {
	if d.Claims["aud"] != "aad" {
		return
	}
	d.Claims["oid"] = guid(fmt.Sprint("oid ", d.Claims["sub"]))
	d.Claims["tid"] = guid("tid")
	d.Claims["ver"] = "2.0"
}

// guid is always the same one for the same text.
func guid(of string) string {
	sum := sha256.Sum256([]byte(of))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
