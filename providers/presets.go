package providers

import (
	"net/url"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Google is Google's OpenID Connect provider, named "google".
//
// A refresh token comes only with access_type=offline, and after the user's
// first consent only with prompt=consent, so both are asked for; it stays the
// same when used and ends after six months without use
// (developers.google.com/identity/protocols/oauth2, "Refresh token expiration").
// The scope offline_access is unknown there.
//
// A client signs in with an ID token; the azp of one that an Android application
// has is its own client ID, of the same project (developers.google.com/identity,
// "OpenID Connect", azp).
func Google(clientID string, clientSecret Secret) OIDCConfig {
	return OIDCConfig{
		Name:         "google",
		Issuer:       "https://accounts.google.com",
		ClientID:     clientID,
		ClientSecret: clientSecret,
		AuthParams:   url.Values{"access_type": {"offline"}, "prompt": {"consent"}},
		Refresh:      RefreshPolicy{Class: Reusable, Lifetime: 180 * day, Sliding: true},
		ClientLogin:  ClientLoginPolicy{Tokens: []ClientToken{ClientIDToken}, AnyPresenter: true, AuthorizationCode: true},
		Quirks:       Quirks{IssuerAliases: []string{"accounts.google.com"}},
	}
}

// Okta is an Okta authorization server, named "okta": the organization's
// (https://example.okta.com) or one of one's own (https://example.okta.com/oauth2/default).
//
// Where refresh tokens rotate, a used one stays valid for 30 seconds by default;
// set Refresh.Window to what the application is configured for. How long a token
// lives is configured too, except that the organization's server grants 90 days
// (developer.okta.com, "Refresh token rotation").
func Okta(issuer, clientID string, clientSecret Secret) OIDCConfig {
	return offline("okta", issuer, clientID, clientSecret,
		RefreshPolicy{Class: Graced, Window: 30 * time.Second})
}

// Auth0 is an Auth0 tenant, named "auth0"; domain is its domain, such as
// example.eu.auth0.com. The API of the access token is chosen by the parameter
// audience, in AuthParams.
//
// Rotation and its overlap period are configured for each application
// (auth0.com/docs, "Configure Refresh Token Rotation"). Where tokens rotate they
// do so at every use, so the class is Learnt; for an application with an overlap
// period set Refresh to Graced and that period.
func Auth0(domain, clientID string, clientSecret Secret) OIDCConfig {
	return offline("auth0", "https://"+strings.TrimSuffix(domain, "/")+"/", clientID, clientSecret, RefreshPolicy{})
}

// Keycloak is a realm of a Keycloak server, named "keycloak". Keycloak tells how
// long a refresh token lives.
//
// Every refresh brings a new token. With the realm's "Revoke Refresh Token" a
// second use of the old one ends the session at Keycloak, so the class is Strict;
// the switch is off by default, and Refresh.Class may then be Reusable.
func Keycloak(server, realm, clientID string, clientSecret Secret) OIDCConfig {
	return offline("keycloak", strings.TrimSuffix(server, "/")+"/realms/"+url.PathEscape(realm), clientID, clientSecret,
		RefreshPolicy{Class: Strict})
}

// Hydra is an Ory Hydra server, named "hydra": a used refresh token is dead
// unless the server sets a grace period, and lives 30 days by default
// (Hydra's configuration, ttl.refresh_token).
func Hydra(issuer, clientID string, clientSecret Secret) OIDCConfig {
	cfg := offline("hydra", issuer, clientID, clientSecret, RefreshPolicy{Class: Strict, Lifetime: 30 * day, Sliding: true})
	cfg.Quirks.LogoutWithoutExpiry = true // github.com/ory/hydra/issues/4035
	return cfg
}

// Dex is a Dex server, named "dex". A second sign-in of the same user at the
// same client ends the first one's refresh token, which Dex then answers with
// invalid_request. Rotation, reuse interval and lifetime are the server's
// configuration (expiry.refreshTokens). Strict, and not Learnt, because a token
// that was issued within the reuse interval comes back unchanged.
func Dex(issuer, clientID string, clientSecret Secret) OIDCConfig {
	cfg := offline("dex", issuer, clientID, clientSecret, RefreshPolicy{Class: Strict})
	cfg.Quirks.FinalRefreshErrors = []string{"invalid_request"}
	return cfg
}

// Duende is a Duende IdentityServer, named "duende": refresh tokens can be used
// again and live 30 days from the sign-in by default
// (docs.duendesoftware.com/identityserver/tokens/refresh). For a client with
// one-time tokens set Refresh.Class to Strict.
func Duende(issuer, clientID string, clientSecret Secret) OIDCConfig {
	return offline("duende", issuer, clientID, clientSecret, RefreshPolicy{Class: Reusable, Lifetime: 30 * day})
}

// offline is a provider that grants offline_access to whoever may have it, with
// no consent page of its own for it.
func offline(name, issuer, clientID string, clientSecret Secret, refresh RefreshPolicy) OIDCConfig {
	return OIDCConfig{
		Name:         name,
		Issuer:       issuer,
		ClientID:     clientID,
		ClientSecret: clientSecret,
		Scopes:       offlineScopes(),
		Refresh:      refresh,
		Quirks:       Quirks{OfflineWithoutConsent: true},
	}
}

func offlineScopes() []string { return []string{"openid", "profile", "email", "offline_access"} }
