package easyauth

import (
	"net/url"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/internal/appservice"
	"github.com/goeasyauth/easyauth/providers"
)

// providers makes those that are registered and switched on, in the order of the
// reference (contract 4).
func (a *appService) providers() []providers.Provider {
	var list []providers.Provider
	add := func(path string, p providers.Provider, err error) {
		if err == nil {
			list = append(list, p)
			return
		}
		for _, e := range flatten(err) {
			a.Follow(path, "%v", e)
		}
	}
	p, at := &a.IdentityProviders, a.At("identityProviders")+"."
	if p.AzureActiveDirectory.Offered() {
		provider, err := providers.NewOIDC(a.entraID(at+"azureActiveDirectory", p.AzureActiveDirectory))
		add(at+"azureActiveDirectory", provider, err)
	}
	if p.Google.Offered() {
		provider, err := providers.NewOIDC(a.google(at+"google", p.Google))
		add(at+"google", provider, err)
	}
	if p.Facebook.Offered() {
		provider, err := providers.NewFacebook(a.facebook(at+"facebook", p.Facebook))
		add(at+"facebook", provider, err)
	}
	if p.GitHub.Offered() {
		provider, err := providers.NewGitHub(a.gitHub(at+"gitHub", p.GitHub))
		add(at+"gitHub", provider, err)
	}
	if p.Twitter.Offered() {
		provider, err := providers.NewTwitter(a.twitter(at+"twitter", p.Twitter))
		add(at+"twitter", provider, err)
	}
	if p.Apple.Offered() {
		provider, err := providers.NewOIDC(a.apple(at+"apple", p.Apple))
		add(at+"apple", provider, err)
	}
	if p.LegacyMicrosoftAccount.Offered() {
		provider, err := providers.NewOIDC(a.microsoftAccount(at+"legacyMicrosoftAccount", p.LegacyMicrosoftAccount))
		add(at+"legacyMicrosoftAccount", provider, err)
	}
	for i := range p.OpenIDConnect {
		if o := &p.OpenIDConnect[i]; o.Offered() {
			provider, err := providers.NewOIDC(a.openIDConnect(o))
			add(o.Path, provider, err)
		}
	}
	return list
}

// bearerProviders are those whose access tokens sign requests in (contract 1.11).
func (a *appService) bearerProviders() []string {
	var names []string
	if a.IdentityProviders.AzureActiveDirectory.Offered() {
		names = append(names, appservice.AliasAAD)
	}
	for _, o := range a.IdentityProviders.OpenIDConnect {
		if o.Offered() {
			names = append(names, o.Alias())
		}
	}
	return names
}

func (a *appService) entraID(at string, d *appservice.AzureActiveDirectory) providers.OIDCConfig {
	r, v := d.Registration, d.Validation
	cfg := providers.EntraIDIssuer(r.OpenIDIssuer, r.ClientID,
		a.secret(at+".registration.clientSecretSettingName", r.ClientSecretSettingName), a.allowedTenants()...)
	cfg.Scopes = nil // a refresh token comes only where the file asks for offline_access
	if strings.Contains(cfg.Issuer, "{tenantid}") && len(cfg.Tenants) == 0 {
		a.Add(at+".registration.openIdIssuer", "is that of every directory there is: "+
			"list the ones whose users may sign in, by ID, in the app setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS")
	}
	const principal = "WEBSITE_AUTH_AAD_REQUIRE_CLIENT_SERVICE_PRINCIPAL"
	if on := a.setting(principal); on != "" && !strings.EqualFold(on, "false") && on != "0" {
		a.Add(appservice.Setting(principal), "has no twin here: "+
			"list the applications that may call in defaultAuthorizationPolicy.allowedApplications")
	}
	cfg.AllowedAudiences = append(cfg.AllowedAudiences, v.AllowedAudiences...)
	cfg.Access = providers.AccessPolicy{
		AllowedGroups:        v.PrincipalGroups,
		AllowedIdentities:    v.PrincipalIdentities,
		AllowedApplications:  v.AllowedApplications,
		RequiredGroups:       v.AllowedGroups,
		RequiredApplications: v.AllowedClientApplications,
	}
	cfg.ResponseType = responseType(r.ClientSecretSettingName)
	a.parameters(&cfg, d.LoginParameters)
	return cfg
}

func (a *appService) google(at string, o *appservice.AudiencedOAuth) providers.OIDCConfig {
	cfg := providers.Google(o.Registration.ClientID, a.oauthSecret(at, &o.OAuth))
	cfg.AuthParams = nil // access_type=offline comes from the application, as a parameter of the login
	cfg.Scopes = o.Scopes
	cfg.AllowedAudiences = o.AllowedAudiences
	return cfg
}

func (a *appService) facebook(at string, f *appservice.Facebook) providers.FacebookConfig {
	r := f.Registration
	return providers.FacebookConfig{
		AppID:        r.AppID,
		AppSecret:    a.secret(at+".registration.appSecretSettingName", r.AppSecretSettingName),
		Scopes:       f.Scopes,
		GraphVersion: f.GraphAPIVersion,
	}
}

func (a *appService) gitHub(at string, o *appservice.OAuth) providers.GitHubConfig {
	return providers.GitHubConfig{ClientID: o.Registration.ClientID, ClientSecret: a.oauthSecret(at, o), Scopes: o.Scopes}
}

func (a *appService) twitter(at string, t *appservice.Twitter) providers.TwitterConfig {
	r := t.Registration
	return providers.TwitterConfig{
		ConsumerKey:    r.ConsumerKey,
		ConsumerSecret: a.secret(at+".registration.consumerSecretSettingName", r.ConsumerSecretSettingName),
	}
}

// apple takes the secret as it is, a JWT that somebody signed. Its scopes are
// name and email; the reference of the file form says profile for the first.
func (a *appService) apple(at string, o *appservice.OAuth) providers.OIDCConfig {
	cfg := providers.Apple(providers.AppleConfig{ClientID: o.Registration.ClientID, ClientSecret: a.oauthSecret(at, o)})
	if len(o.Scopes) > 0 {
		cfg.Scopes = translated(o.Scopes, map[string]string{"profile": "name"})
	}
	return cfg
}

// microsoftAccount signs in where the Live service has moved to, which has scopes
// of other names.
func (a *appService) microsoftAccount(at string, o *appservice.AudiencedOAuth) providers.OIDCConfig {
	cfg := providers.MicrosoftAccount(o.Registration.ClientID, a.oauthSecret(at, &o.OAuth))
	cfg.AllowedAudiences = append(cfg.AllowedAudiences, o.AllowedAudiences...)
	cfg.Scopes = translated(o.Scopes, map[string]string{
		"wl.basic": "profile", "wl.signin": "openid", "wl.emails": "email", "wl.offline_access": "offline_access",
	})
	for i, scope := range o.Scopes {
		if strings.HasPrefix(scope, "wl.") && slices.Contains(cfg.Scopes, scope) {
			a.Add(appservice.Item(at+".login.scopes", i), "is a scope of the Live service that has no successor: use one of Microsoft Graph")
		}
	}
	return cfg
}

// inForm is oauth2.AuthStyleInParams, of a module that is the providers' own:
// client_secret_post, the only method an auth.json knows.
const inForm = 1

func (a *appService) openIDConnect(o *appservice.OpenIDConnect) providers.OIDCConfig {
	r, c, at := o.Registration, o.Registration.Configuration, o.Path+".registration"
	cfg := providers.OIDCConfig{
		Name:         o.Alias(),
		Issuer:       c.Issuer,
		ClientID:     r.ClientID,
		ClientSecret: a.secret(at+".clientCredential.clientSecretSettingName", r.ClientSecretSettingName),
		Scopes:       o.Scopes,
		NameClaim:    o.NameClaimType,
		AuthStyle:    inForm,
		ResponseType: responseType(r.ClientSecretSettingName),
	}
	if c.WellKnown == "" {
		cfg.Endpoints = providers.Endpoints{Authorization: c.AuthorizationEndpoint, Token: c.TokenEndpoint, Keys: c.CertificationURI}
	} else {
		cfg.DiscoveryURL = c.WellKnown // which tells the issuer, where the file does not
	}
	a.parameters(&cfg, o.LoginParameterNames)
	return cfg
}

// responseType is the implicit flow where there is no secret, as on App Service:
// who registers none has chosen it (contract 5).
func responseType(secretSetting string) providers.ResponseType {
	if secretSetting == "" {
		return providers.InsecureIDTokenOnly
	}
	return providers.CodeOnly
}

// parameters sets those that the provider has fields for, and hands on the rest.
func (a *appService) parameters(cfg *providers.OIDCConfig, list []appservice.Parameter) {
	for _, p := range list {
		switch p.Name {
		case "scope":
			cfg.Scopes = strings.Fields(p.Value)
		case "response_type":
			switch words := strings.Fields(p.Value); {
			case len(words) == 1 && words[0] == "code":
				cfg.ResponseType = providers.CodeOnly
			case len(words) == 1 && words[0] == "id_token":
				cfg.ResponseType = providers.InsecureIDTokenOnly
			case len(words) == 2 && slices.Contains(words, "code") && slices.Contains(words, "id_token"):
				cfg.ResponseType = providers.CodeWithIDToken
			default:
				a.Add(p.Path, "is none of code, code id_token and id_token: a token in the answer of the browser is not taken")
			}
		case "response_mode":
			if cfg.FormPost = p.Value == "form_post"; !cfg.FormPost && p.Value != "query" {
				a.Add(p.Path, "is neither query nor form_post")
			}
		default:
			if cfg.AuthParams == nil {
				cfg.AuthParams = make(url.Values)
			}
			cfg.AuthParams.Set(p.Name, p.Value)
		}
	}
}

func (a *appService) oauthSecret(at string, o *appservice.OAuth) providers.Secret {
	return a.secret(at+".registration.clientSecretSettingName", o.Registration.SecretSettingName)
}

// translated returns the scopes, those in names by their names there.
func translated(scopes []string, names map[string]string) []string {
	var list []string
	for _, scope := range scopes {
		if name, ok := names[scope]; ok {
			scope = name
		}
		list = append(list, scope)
	}
	return list
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
