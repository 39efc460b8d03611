package providers

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"
)

// OIDCConfig describes one OpenID Connect provider and this application's
// registration there. The zero value of a field is its documented default; the
// presets fill in what is known about a provider.
type OIDCConfig struct {
	// Name is the provider's alias, see [Provider]. Required.
	Name string

	// Issuer is the provider's issuer exactly as its discovery document spells
	// it, a trailing slash included (OpenID Connect Discovery 4.3): an https URL, or
	// http where the host is a loopback address. Required, unless DiscoveryURL is
	// set: empty, it is then what the document says, at the same host. Say it where
	// you know it; who can change the document could otherwise pass as anybody.
	// It holds "{tenantid}" where every tenant of Tenants is an issuer of its own.
	Issuer string

	// DiscoveryURL is where the provider's metadata is, if it is not at
	// "/.well-known/openid-configuration" below Issuer.
	DiscoveryURL string

	// Endpoints, where set, are the provider's addresses, and no discovery
	// document is read.
	Endpoints Endpoints

	// ClientID and ClientSecret are the application's registration. Both are
	// required: an application that keeps its users' tokens on the server is a
	// confidential client.
	ClientID     string
	ClientSecret Secret

	// ClientSecretSource takes the place of ClientSecret where the secret is made
	// anew from time to time, as [Apple]'s is. It is called for every call to the
	// token endpoint, by several goroutines at once, and must not dial.
	ClientSecretSource func() (Secret, error)

	// Scopes are asked for at every sign-in; "openid" is added where it is
	// missing. Default: openid, profile, email.
	Scopes []string

	// AuthParams are further parameters of every authorization request, such as
	// access_type, prompt, domain_hint or resource. A caller's parameter of the
	// same name replaces one; the parameters that a login attempt itself sets
	// are refused here.
	AuthParams url.Values

	// ResponseType is what the authorization response brings. Default: the code
	// alone.
	ResponseType ResponseType

	// FormPost asks the provider to answer by a form post instead of a
	// redirect, which keeps the code out of URLs (OAuth 2.0 Form Post Response
	// Mode). The attempt's cookie then has to travel cross-site.
	FormPost bool

	// Tenants is the closed list of tenants whose users may sign in, compared
	// with the ID token's tid claim (docs/threats.md JWT8). Required where Issuer
	// holds "{tenantid}"; tenant IDs in lower case.
	Tenants []string

	// Algorithms are the signature algorithms an ID token may use, by their
	// names in RFC 7518 and RFC 8037; what the provider lists beyond them is
	// refused (docs/threats.md JWT3). HS256, HS384 and HS512, which verify with the
	// client secret, count only if named here. Default: RS256, ES256, PS256, EdDSA.
	Algorithms []string

	// AllowedAudiences are further audiences, besides ClientID, of the tokens that
	// clients bring: the address that this application has as an API, or the
	// client IDs of its mobile applications. They never count for a sign-in by
	// redirect, whose ID token was asked for in the name of ClientID.
	AllowedAudiences []string

	// Access says which of the provider's users, and which clients, may come in.
	// The zero value lets everybody in who signs in at the provider.
	Access AccessPolicy

	// ClientLogin says with which tokens a client, such as a mobile application,
	// may sign its user in. The zero value takes none.
	ClientLogin ClientLoginPolicy

	// InsecurePasswordGrant lets clients sign a user in with user name and
	// password, which are then traded for tokens (RFC 6749 section 4.3). RFC 9700
	// section 2.4 forbids it: the application sees the password, which trains
	// users to type it anywhere, and no second factor can be asked for. It is
	// there for clients that know no other way, until they do.
	InsecurePasswordGrant bool

	// NameClaim is the claim that a user's name is taken from, such as
	// preferred_username. Default: as for every provider, by what there is.
	NameClaim string

	// AuthStyle is how the client authenticates at the token endpoint. The zero
	// value takes the first of client_secret_basic and client_secret_post that
	// the discovery document lists. Nothing is ever tried out on the provider
	// (docs/threats.md G15).
	AuthStyle oauth2.AuthStyle

	// Refresh is what is known about the provider's refresh tokens. The zero
	// value assumes the strictest until a login has seen what the provider does;
	// see [Learnt] for the one case where that is not enough.
	Refresh RefreshPolicy

	// NoRefresh leaves the provider's refresh tokens where they are: none is kept,
	// and no session is refreshed beyond its lifetime.
	NoRefresh bool

	// Quirks are the provider's known departures from the standards.
	Quirks Quirks

	// HTTPClient, where set, lends its Transport and its Timeout. Redirects are
	// not followed and cookies not kept, whatever it says. Default: a transport
	// of the provider's own, with proxies from the environment.
	HTTPClient *http.Client
}

// Quirks are departures from the standards that a provider is known for. They
// are data: no code asks for a provider by its name.
type Quirks struct {
	// OfflineWithoutConsent: the provider grants offline_access without
	// prompt=consent, which OpenID Connect Core 11 demands and which is
	// otherwise added.
	OfflineWithoutConsent bool

	// FinalRefreshErrors are error codes which, as the answer to a refresh, mean
	// what invalid_grant means elsewhere.
	FinalRefreshErrors []string

	// LogoutWithoutExpiry: the provider's logout tokens say when they were issued
	// and not until when they are good, as before errata set 1 of Back-Channel
	// Logout 1.0. They are then taken for two minutes.
	LogoutWithoutExpiry bool

	// IssuerAliases are other spellings of Issuer that occur in ID tokens. The
	// identity is always that of Issuer, and "{tenantid}" stands for the token's
	// tenant, where it does in Issuer.
	IssuerAliases []string

	// PrincipalClaim is the claim that AccessPolicy.AllowedIdentities lists values
	// of. Default: sub.
	PrincipalClaim string

	// NameInResponse: the provider tells the user's name once, at the first
	// consent, in the parameter user of the authorization response, unsigned.
	NameInResponse bool

	// AuthenticationToken: applications know the provider's ID token as its
	// authentication token, and find it under both names.
	AuthenticationToken bool

	// AlwaysAsks: the provider knows no prompt=none and shows its page whenever a
	// browser comes.
	AlwaysAsks bool
}

func (c OIDCConfig) scopes() []string {
	if len(c.Scopes) == 0 {
		return []string{"openid", "profile", "email"}
	}
	return withOpenID(c.Scopes)
}

func (c OIDCConfig) algorithms() []string {
	if len(c.Algorithms) == 0 {
		return []string{"RS256", "ES256", "PS256", "EdDSA"}
	}
	return slices.Clone(c.Algorithms)
}

// clientSecret is what the client authenticates with now.
func (c OIDCConfig) clientSecret() (Secret, error) {
	if c.ClientSecretSource != nil {
		return c.ClientSecretSource()
	}
	return c.ClientSecret, nil
}

// withOpenID returns the scopes with openid among them, which makes the request
// one of OpenID Connect (Core 3.1.2.1).
func withOpenID(scopes []string) []string {
	if slices.Contains(scopes, "openid") {
		return slices.Clone(scopes)
	}
	return append([]string{"openid"}, scopes...)
}
