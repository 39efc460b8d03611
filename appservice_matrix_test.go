package easyauth_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
)

// everyProvider is a file that registers each provider and says nothing else.
const everyProvider = `{
  "identityProviders": {
    "azureActiveDirectory": {"registration": {"openIdIssuer": "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "clientId": "app", "clientSecretSettingName": "AAD_SECRET"}},
    "google": {"registration": {"clientId": "app", "clientSecretSettingName": "GOOGLE_SECRET"}},
    "facebook": {"registration": {"appId": "1234", "appSecretSettingName": "FACEBOOK_SECRET"}},
    "gitHub": {"registration": {"clientId": "app", "clientSecretSettingName": "GITHUB_SECRET"}},
    "twitter": {"registration": {"consumerKey": "app", "consumerSecretSettingName": "TWITTER_SECRET"}},
    "apple": {"registration": {"clientId": "app", "clientSecretSettingName": "APPLE_SECRET"}},
    "legacyMicrosoftAccount": {"registration": {"clientId": "app", "clientSecretSettingName": "MSA_SECRET"}},
    "customOpenIdConnectProviders": {"contoso": {"registration": {"clientId": "app", "clientCredential": {"clientSecretSettingName": "CONTOSO_SECRET"},
      "openIdConnectConfiguration": {"wellKnownOpenIdConfiguration": "https://login.contoso.example/.well-known/openid-configuration"}}}}
  }
}`

// loaded is everything that a file may have an effect on.
type loaded struct {
	easyauth.Config
	easyauth.AppServiceProviders
}

func (l loaded) names() []string {
	var names []string
	for _, p := range l.Providers {
		names = append(names, p.Name())
	}
	return names
}

// row is one row of the table of contract 4.
type row struct {
	path  string
	value string           // JSON
	got   func(loaded) any // nil: the member has no effect
	want  any
	byDef any    // what got returns without the member
	error string // of a member that is refused: a part of the reason
}

const (
	aad     = "identityProviders.azureActiveDirectory."
	custom  = "identityProviders.customOpenIdConnectProviders.contoso."
	entraV2 = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"
	entraV1 = "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

var every = []string{"aad", "google", "facebook", "github", "twitter", "apple", "microsoftaccount", "contoso"}

func without(name string) []string {
	return slices.DeleteFunc(slices.Clone(every), func(n string) bool { return n == name })
}

func names(l loaded) any         { return l.names() }
func action(l loaded) any        { return l.Gate.Unauthenticated }
func redirectTo(l loaded) any    { return l.Gate.Provider }
func excluded(l loaded) any      { return l.Gate.ExcludedPaths }
func hideChallenge(l loaded) any { return l.Gate.HideChallenge }
func proxy(l loaded) any {
	if l.ForwardProxy == nil {
		return ""
	}
	return l.ForwardProxy.HostHeader + " " + l.ForwardProxy.ProtoHeader
}

func oidc(name string, field func(providers.OIDCConfig) any) func(loaded) any {
	return func(l loaded) any { return field(l.OIDC[name]) }
}

func secretOf(c providers.OIDCConfig) any { return c.ClientSecret.Reveal() }
func clientOf(c providers.OIDCConfig) any { return c.ClientID }
func scopesOf(c providers.OIDCConfig) any { return c.Scopes }
func paramsOf(c providers.OIDCConfig) any { return c.AuthParams.Encode() }
func documentOf(c providers.OIDCConfig) any {
	return c.Issuer + " " + c.DiscoveryURL
}
func audienceOf(c providers.OIDCConfig) any {
	return strings.Join(c.AllowedAudiences, " ")
}

var rows = []row{
	{path: "platform.enabled", value: `true`, got: names, want: every, byDef: every},
	{path: "platform.enabled", value: `false`, error: "nothing would guard the application"},
	{path: "platform.runtimeVersion", value: `"~1"`},
	{path: "platform.configFilePath", value: `"auth.json"`},

	{path: "globalValidation.requireAuthentication", value: `true`, got: action, want: middleware.RedirectToLogin, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.requireAuthentication", value: `false`, got: action, want: middleware.AllowAnonymous, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"RedirectToLoginPage"`, got: action, want: middleware.RedirectToLogin, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"AllowAnonymous"`, got: action, want: middleware.AllowAnonymous, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"Return401"`, got: action, want: middleware.Return401, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"Return403"`, got: action, want: middleware.Return403, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"Return404"`, got: action, want: middleware.Return404, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.unauthenticatedClientAction", value: `"RejectWith404"`, got: action, want: middleware.Return404, byDef: middleware.RedirectToLogin},
	{path: "globalValidation.redirectToProvider", value: `"azureactivedirectory"`, got: redirectTo, want: "aad", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"AzureActiveDirectory"`, got: redirectTo, want: "aad", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"aad"`, got: redirectTo, want: "aad", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"google"`, got: redirectTo, want: "google", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"gitHub"`, got: redirectTo, want: "github", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"x"`, got: redirectTo, want: "twitter", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"legacyMicrosoftAccount"`, got: redirectTo, want: "microsoftaccount", byDef: ""},
	{path: "globalValidation.redirectToProvider", value: `"Contoso"`, got: redirectTo, want: "contoso", byDef: ""},
	{path: "globalValidation.excludedPaths", value: `["/health","/public/*"]`, got: excluded, want: []string{"/health", "/public/*"}, byDef: []string(nil)},

	{path: "httpSettings.requireHttps", value: `false`, got: func(l loaded) any { return l.Gate.RequireHTTPS }, want: false, byDef: true},
	{path: "httpSettings.routes.apiPrefix", value: `"/sign-in"`, got: func(l loaded) any { return l.Prefix }, want: "/sign-in", byDef: "/.auth"},
	{path: "httpSettings.forwardProxy.convention", value: `"NoProxy"`, got: proxy, want: "", byDef: ""},
	{path: "httpSettings.forwardProxy.convention", value: `"Standard"`, got: proxy, want: "X-Forwarded-Host X-Forwarded-Proto", byDef: ""},
	{path: "httpSettings.forwardProxy", value: `{"convention":"Custom","customHostHeaderName":"x-original-host"}`, got: proxy, want: "X-Original-Host ", byDef: ""},
	{path: "httpSettings.forwardProxy.customHostHeaderName", value: `"X-Original-Host"`, got: proxy, want: "", byDef: ""}, // of Custom only
	{path: "httpSettings.forwardProxy.customProtoHeaderName", value: `"X-Original-Proto"`, got: proxy, want: "", byDef: ""},

	{path: "login.routes.logoutEndpoint", value: `"/account/signout"`, got: func(l loaded) any { return l.LogoutEndpoint }, want: "/account/signout", byDef: ""},
	{path: "login.tokenStore.enabled", value: `true`, got: func(l loaded) any { return fmt.Sprint(l.DiscardTokens, l.TokenHeaders, l.RefreshTokenInMe) }, want: "false true true", byDef: "true false false"},
	{path: "login.tokenStore.tokenRefreshExtensionHours", value: `1.5`, got: func(l loaded) any { return l.GracePeriod }, want: 90 * time.Minute, byDef: 72 * time.Hour},
	{path: "login.tokenStore.tokenRefreshExtensionHours", value: `"24"`, got: func(l loaded) any { return l.GracePeriod }, want: 24 * time.Hour, byDef: 72 * time.Hour},
	{path: "login.tokenStore.tokenRefreshExtensionHours", value: `0`, got: func(l loaded) any { return l.GracePeriod < 0 }, want: true, byDef: false},
	{path: "login.tokenStore.fileSystem.directory", value: `"D:\\home\\data\\.auth"`},
	{path: "login.tokenStore.azureBlobStorage", value: `{"sasUrlSettingName":"BLOB_SAS"}`, error: "memstore, sqlitestore, redisstore and pgstore"},
	{path: "login.preserveUrlFragmentsForLogins", value: `true`, got: func(l loaded) any { return l.PreserveFragments }, want: true, byDef: false},
	{path: "login.allowedExternalRedirectUrls", value: `["https://partner.example/","orders://easyauth.callback"]`, got: func(l loaded) any { return l.AllowedRedirects }, want: []string{"https://partner.example/", "orders://easyauth.callback"}, byDef: []string(nil)},
	{path: "login.allowedExternalRedirectUrls", value: `["https://*.partner.example"]`, error: "there are no patterns"},
	{path: "login.cookieExpiration.convention", value: `"FixedTime"`, got: func(l loaded) any { return l.LifetimeFromProvider }, want: false, byDef: false},
	{path: "login.cookieExpiration.convention", value: `"IdentityProviderDerived"`, got: func(l loaded) any { return l.LifetimeFromProvider }, want: true, byDef: false},
	{path: "login.cookieExpiration.convention", value: `"IdentityDerived"`, got: func(l loaded) any { return l.LifetimeFromProvider }, want: true, byDef: false},
	{path: "login.cookieExpiration.timeToExpiration", value: `"1.02:03:04"`, got: func(l loaded) any { return l.SessionLifetime }, want: 26*time.Hour + 3*time.Minute + 4*time.Second, byDef: 8 * time.Hour},
	{path: "login.nonce.validateNonce", value: `true`},
	{path: "login.nonce.validateNonce", value: `false`, error: "is always checked"},
	{path: "login.nonce.nonceExpirationInterval", value: `"00:01:30"`, got: func(l loaded) any { return l.AttemptLifetime }, want: 90 * time.Second, byDef: 5 * time.Minute},
	{path: "login.nonce.nonceExpirationInterval", value: `"00:10:01"`, error: "at most 10m0s"},

	{path: aad + "enabled", value: `false`, got: names, want: without("aad"), byDef: every},
	{path: aad + "registration.openIdIssuer", value: `"` + entraV1 + `"`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Issuer }), want: entraV1, byDef: entraV2},
	{path: aad + "registration.openIdIssuer", value: `"https://login.microsoftonline.com/common/v2.0"`, error: "WEBSITE_AUTH_AAD_ALLOWED_TENANTS"},
	{path: aad + "registration.clientId", value: `"other"`, got: oidc("aad", clientOf), want: "other", byDef: "app"},
	{path: aad + "registration.clientSecretSettingName", value: `"OTHER_SECRET"`, got: oidc("aad", secretOf), want: "value of OTHER_SECRET", byDef: "value of AAD_SECRET"},
	{path: aad + "registration.clientSecretSettingName", value: `null`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.ResponseType }), want: providers.InsecureIDTokenOnly, byDef: providers.CodeOnly},
	{path: aad + "registration.clientSecretCertificateThumbprint", value: `"A909502DD82AE41433E6F83886B00D4277A32A7B"`, error: "clientSecretSettingName"},
	{path: aad + "registration.clientSecretCertificateSubjectAlternativeName", value: `"orders.contoso.example"`, error: "clientSecretSettingName"},
	{path: aad + "registration.clientSecretCertificateIssuer", value: `"Contoso CA"`, error: "clientSecretSettingName"},
	{path: aad + "login.loginParameters", value: `["scope=openid offline_access"]`, got: oidc("aad", scopesOf), want: []string{"openid", "offline_access"}, byDef: []string(nil)},
	{path: aad + "login.loginParameters", value: `["domain_hint=contoso.com","resource=https://orders.contoso.example"]`, got: oidc("aad", paramsOf), want: "domain_hint=contoso.com&resource=https%3A%2F%2Forders.contoso.example", byDef: ""},
	{path: aad + "login.loginParameters", value: `["response_type=code id_token"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.ResponseType }), want: providers.CodeWithIDToken, byDef: providers.CodeOnly},
	{path: aad + "login.loginParameters", value: `["response_mode=form_post"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.FormPost }), want: true, byDef: false},
	{path: aad + "login.loginParameters", value: `["response_type=token"]`, error: "is none of code, code id_token and id_token"},
	{path: aad + "login.disableWWWAuthenticate", value: `true`, got: hideChallenge, want: true, byDef: false},
	{path: aad + "login.disableWwwAuthenticate", value: `true`, got: hideChallenge, want: true, byDef: false},
	{path: aad + "validation.allowedAudiences", value: `["api://orders"]`, got: oidc("aad", audienceOf), want: "api://app api://orders", byDef: "api://app"},
	{path: aad + "validation.jwtClaimChecks.allowedGroups", value: `["g1"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Access.RequiredGroups }), want: []string{"g1"}, byDef: []string(nil)},
	{path: aad + "validation.jwtClaimChecks.allowedClientApplications", value: `["a1"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Access.RequiredApplications }), want: []string{"a1"}, byDef: []string(nil)},
	{path: aad + "validation.defaultAuthorizationPolicy.allowedPrincipals.groups", value: `["g2"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Access.AllowedGroups }), want: []string{"g2"}, byDef: []string(nil)},
	{path: aad + "validation.defaultAuthorizationPolicy.allowedPrincipals.identities", value: `["o1"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Access.AllowedIdentities }), want: []string{"o1"}, byDef: []string(nil)},
	{path: aad + "validation.defaultAuthorizationPolicy.allowedApplications", value: `["a2"]`, got: oidc("aad", func(c providers.OIDCConfig) any { return c.Access.AllowedApplications }), want: []string{"a2"}, byDef: []string(nil)},
	{path: aad + "isAutoProvisioned", value: `true`},

	{path: "identityProviders.facebook.enabled", value: `false`, got: names, want: without("facebook"), byDef: every},
	{path: "identityProviders.facebook.registration.appId", value: `"5678"`, got: func(l loaded) any { return l.Facebook.AppID }, want: "5678", byDef: "1234"},
	{path: "identityProviders.facebook.registration.appSecretSettingName", value: `"OTHER_SECRET"`, got: func(l loaded) any { return l.Facebook.AppSecret.Reveal() }, want: "value of OTHER_SECRET", byDef: "value of FACEBOOK_SECRET"},
	{path: "identityProviders.facebook.graphApiVersion", value: `"v3.3"`, got: func(l loaded) any { return l.Facebook.GraphVersion }, want: "v3.3", byDef: ""},
	{path: "identityProviders.facebook.login.scopes", value: `["public_profile","email"]`, got: func(l loaded) any { return l.Facebook.Scopes }, want: []string{"public_profile", "email"}, byDef: []string(nil)},

	{path: "identityProviders.gitHub.enabled", value: `false`, got: names, want: without("github"), byDef: every},
	{path: "identityProviders.gitHub.registration.clientId", value: `"other"`, got: func(l loaded) any { return l.GitHub.ClientID }, want: "other", byDef: "app"},
	{path: "identityProviders.gitHub.registration.clientSecretSettingName", value: `"OTHER_SECRET"`, got: func(l loaded) any { return l.GitHub.ClientSecret.Reveal() }, want: "value of OTHER_SECRET", byDef: "value of GITHUB_SECRET"},
	{path: "identityProviders.gitHub.login.scopes", value: `["read:user"]`, got: func(l loaded) any { return l.GitHub.Scopes }, want: []string{"read:user"}, byDef: []string(nil)},

	{path: "identityProviders.google.enabled", value: `false`, got: names, want: without("google"), byDef: every},
	{path: "identityProviders.google.registration.clientId", value: `"other"`, got: oidc("google", clientOf), want: "other", byDef: "app"},
	{path: "identityProviders.google.registration.clientSecretSettingName", value: `"OTHER_SECRET"`, got: oidc("google", secretOf), want: "value of OTHER_SECRET", byDef: "value of GOOGLE_SECRET"},
	{path: "identityProviders.google.login.scopes", value: `["openid","email"]`, got: oidc("google", scopesOf), want: []string{"openid", "email"}, byDef: []string(nil)},
	{path: "identityProviders.google.validation.allowedAudiences", value: `["android"]`, got: oidc("google", audienceOf), want: "android", byDef: ""},

	{path: "identityProviders.legacyMicrosoftAccount.enabled", value: `false`, got: names, want: without("microsoftaccount"), byDef: every},
	{path: "identityProviders.legacyMicrosoftAccount.registration.clientId", value: `"other"`, got: oidc("microsoftaccount", clientOf), want: "other", byDef: "app"},
	{path: "identityProviders.legacyMicrosoftAccount.registration.clientSecretSettingName", value: `"OTHER_SECRET"`, got: oidc("microsoftaccount", secretOf), want: "value of OTHER_SECRET", byDef: "value of MSA_SECRET"},
	{path: "identityProviders.legacyMicrosoftAccount.login.scopes", value: `["wl.basic","wl.offline_access"]`, got: oidc("microsoftaccount", scopesOf), want: []string{"profile", "offline_access"}, byDef: []string(nil)},
	{path: "identityProviders.legacyMicrosoftAccount.login.scopes", value: `["wl.skydrive"]`, error: "has no successor"},
	{path: "identityProviders.legacyMicrosoftAccount.validation.allowedAudiences", value: `["android"]`, got: oidc("microsoftaccount", audienceOf), want: "api://app android", byDef: "api://app"},

	{path: "identityProviders.twitter.enabled", value: `false`, got: names, want: without("twitter"), byDef: every},
	{path: "identityProviders.twitter.registration.consumerKey", value: `"other"`, got: func(l loaded) any { return l.Twitter.ConsumerKey }, want: "other", byDef: "app"},
	{path: "identityProviders.twitter.registration.consumerSecretSettingName", value: `"OTHER_SECRET"`, got: func(l loaded) any { return l.Twitter.ConsumerSecret.Reveal() }, want: "value of OTHER_SECRET", byDef: "value of TWITTER_SECRET"},

	{path: "identityProviders.apple.enabled", value: `false`, got: names, want: without("apple"), byDef: every},
	{path: "identityProviders.apple.registration.clientId", value: `"other"`, got: oidc("apple", clientOf), want: "other", byDef: "app"},
	{path: "identityProviders.apple.registration.clientSecretSettingName", value: `"OTHER_SECRET"`, got: oidc("apple", secretOf), want: "value of OTHER_SECRET", byDef: "value of APPLE_SECRET"},
	{path: "identityProviders.apple.login.scopes", value: `["profile","email"]`, got: oidc("apple", scopesOf), want: []string{"name", "email"}, byDef: []string{"openid", "name", "email"}},

	{path: "identityProviders.azureStaticWebApps.enabled", value: `true`},
	{path: "identityProviders.azureStaticWebApps.registration", value: `{"clientId":"app"}`, error: "no Static Web App in front"},

	{path: custom + "enabled", value: `false`, got: names, want: without("contoso"), byDef: every},
	{path: custom + "registration.clientId", value: `"other"`, got: oidc("contoso", clientOf), want: "other", byDef: "app"},
	{path: custom + "registration.clientCredential.method", value: `"ClientSecretPost"`, got: oidc("contoso", func(c providers.OIDCConfig) any { return int(c.AuthStyle) }), want: 1, byDef: 1},
	{path: custom + "registration.clientCredential.clientSecretSettingName", value: `"OTHER_SECRET"`, got: oidc("contoso", secretOf), want: "value of OTHER_SECRET", byDef: "value of CONTOSO_SECRET"},
	{path: custom + "registration.clientCredential.clientSecretSettingName", value: `null`, got: oidc("contoso", func(c providers.OIDCConfig) any { return c.ResponseType }), want: providers.InsecureIDTokenOnly, byDef: providers.CodeOnly},
	{path: custom + "registration.openIdConnectConfiguration.wellKnownOpenIdConfiguration", value: `"https://idp.example/tenant/.well-known/openid-configuration"`, got: oidc("contoso", documentOf),
		want: " https://idp.example/tenant/.well-known/openid-configuration", byDef: " https://login.contoso.example/.well-known/openid-configuration"},
	{path: custom + "registration.openIdConnectConfiguration.wellKnownOpenIdConfiguration", value: `"https://idp.example/v2.0/.well-known/openid-configuration?p=policy"`, got: oidc("contoso", documentOf),
		want: " https://idp.example/v2.0/.well-known/openid-configuration?p=policy", byDef: " https://login.contoso.example/.well-known/openid-configuration"},
	{path: custom + "registration.openIdConnectConfiguration", value: `{"issuer":"https://i.example","authorizationEndpoint":"https://i.example/a","tokenEndpoint":"https://i.example/t","certificationUri":"https://i.example/k"}`,
		got:  oidc("contoso", func(c providers.OIDCConfig) any { return fmt.Sprint(c.Issuer, c.DiscoveryURL, c.Endpoints) }),
		want: "https://i.example{https://i.example/a https://i.example/t https://i.example/k   }", byDef: "https://login.contoso.example/.well-known/openid-configuration{     }"},
	{path: custom + "registration.openIdConnectConfiguration.issuer", value: `"https://login.contoso.example/"`, got: oidc("contoso", documentOf),
		want: "https://login.contoso.example/ https://login.contoso.example/.well-known/openid-configuration", byDef: " https://login.contoso.example/.well-known/openid-configuration"},
	{path: custom + "registration.openIdConnectConfiguration.authorizationEndpoint", value: `"https://i.example/a"`, got: oidc("contoso", func(c providers.OIDCConfig) any { return c.Endpoints.Authorization }), want: "", byDef: ""}, // beside wellKnown
	{path: custom + "registration.openIdConnectConfiguration.tokenEndpoint", value: `"https://i.example/t"`, got: oidc("contoso", func(c providers.OIDCConfig) any { return c.Endpoints.Token }), want: "", byDef: ""},
	{path: custom + "registration.openIdConnectConfiguration.certificationUri", value: `"https://i.example/k"`, got: oidc("contoso", func(c providers.OIDCConfig) any { return c.Endpoints.Keys }), want: "", byDef: ""},
	{path: custom + "login.nameClaimType", value: `"preferred_username"`, got: oidc("contoso", func(c providers.OIDCConfig) any { return c.NameClaim }), want: "preferred_username", byDef: ""},
	{path: custom + "login.scopes", value: `["openid","groups"]`, got: oidc("contoso", scopesOf), want: []string{"openid", "groups"}, byDef: []string(nil)},
	{path: custom + "login.loginParameterNames", value: `["prompt=login"]`, got: oidc("contoso", paramsOf), want: "prompt=login", byDef: ""},

	{path: "$schema", value: `"auth.schema.json"`},
	{path: "encryptionSettings", value: `{"containerAppAuthEncryptionSecretName":"k"}`, error: "of Container Apps"},
}

// TestContract4EachRowOfTheTableHasItsEffect loads a file with one member more
// than the same file without it, and looks at what the row says.
func TestContract4EachRowOfTheTableHasItsEffect(t *testing.T) {
	plain, err := load(t, everyProvider)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Run(r.path+"="+r.value, func(t *testing.T) {
			l, err := load(t, with(t, everyProvider, r.path, r.value))
			switch {
			case r.error != "":
				if err == nil || !strings.Contains(err.Error(), r.path) || !strings.Contains(err.Error(), r.error) {
					t.Errorf("got %v, want an error at %s that says %q", err, r.path, r.error)
				}
			case err != nil:
				t.Error(err)
			case r.got == nil:
				if before, after := fmt.Sprintf("%+v", plain.names()), fmt.Sprintf("%+v", l.names()); before != after {
					t.Errorf("a member without effect has one: %s, was %s", after, before)
				}
			default:
				if got := r.got(l); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", r.want) {
					t.Errorf("got %#v, want %#v", got, r.want)
				}
				if got := r.got(plain); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", r.byDef) {
					t.Errorf("without the member: got %#v, want %#v", got, r.byDef)
				}
			}
		})
	}
}

// TestContract4NoMemberOfTheSchemaIsWithoutARow keeps the matrix complete.
func TestContract4NoMemberOfTheSchemaIsWithoutARow(t *testing.T) {
	found := 0
	eachMember(t, func(path string, _ schemaNode) {
		if found++; !slices.ContainsFunc(rows, func(r row) bool { return r.path == path }) {
			t.Errorf("%s has no row in the matrix", path)
		}
	})
	if found < 70 {
		t.Errorf("%d members found: the test looks at nothing", found)
	}
}

// TestContract4DefaultsOfTheSchemaAreThoseOfTheLoader: a file that says what the
// schema calls the default means the same as one that says nothing.
func TestContract4DefaultsOfTheSchemaAreThoseOfTheLoader(t *testing.T) {
	plain, err := load(t, everyProvider)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	eachMember(t, func(path string, n schemaNode) {
		if n.Default == nil {
			return
		}
		found++
		if strings.HasSuffix(path, ".disableWwwAuthenticate") {
			return // beside the other spelling
		}
		same(t, plain, with(t, everyProvider, path, string(n.Default)))
	})
	if found < 20 {
		t.Errorf("%d defaults found: the test looks at nothing", found)
	}
}

// eachMember walks docs/auth.schema.json, which is the list of all members, and
// stops at those that hold no others. Of own providers there is one, contoso.
func eachMember(t *testing.T, visit func(path string, n schemaNode)) {
	t.Helper()
	var schema struct {
		Defs map[string]schemaNode `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, "docs/auth.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, n schemaNode)
	walk = func(path string, n schemaNode) {
		if n.Ref == "#/$defs/openIdConnectProviders" {
			if strings.HasSuffix(path, ".customOpenIdConnectProviders") { // the other spelling is read by the same code
				walk(path+".contoso", schema.Defs["openIdConnectProvider"])
			}
			return
		}
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			walk(strings.TrimPrefix(path+"."+name, "."), n.Properties[name])
		}
		if len(n.Properties) == 0 {
			visit(path, n)
		}
	}
	walk("", schema.Defs["settings"])
}

type schemaNode struct {
	Ref        string                `json:"$ref"`
	Default    json.RawMessage       `json:"default"`
	Properties map[string]schemaNode `json:"properties"`
}

// load writes the file and loads it. Every setting that ends in _SECRET is set.
func load(t *testing.T, text string) (loaded, error) {
	t.Helper()
	return loadFrom(t, text, secrets)
}

func loadFrom(t *testing.T, text string, setting func(string) (string, bool)) (loaded, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := easyauth.LoadAppService(path, setting)
	found := easyauth.ReadAppServiceProviders([]byte(text), func(name string) string { value, _ := setting(name); return value })
	return loaded{cfg, found}, err
}

func secrets(name string) (string, bool) {
	if !strings.HasSuffix(name, "_SECRET") {
		return "", false
	}
	return "value of " + name, true
}

// with returns the file with the member at path set to value.
func with(t *testing.T, file, path, value string) string {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(file), &root); err != nil {
		t.Fatal(err)
	}
	at := root
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = make(map[string]any)
			at[name] = next
		}
		at = next
	}
	at[names[len(names)-1]] = json.RawMessage(value)
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
