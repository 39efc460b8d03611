package providertest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// The client that a provider knows when its Config names none.
const (
	ClientID     = "app"
	ClientSecret = "app-secret-for-tests-only"
)

// Config says how the provider behaves. The zero value is a provider at
// https://op.example that knows the client [ClientID], lets anybody sign in
// under any name, and rotates refresh tokens strictly.
type Config struct {
	// Issuer is the issuer URL, and so where the provider is reached. Its path
	// is the prefix of every endpoint. Default: https://op.example.
	Issuer string

	// Clients are the registered clients. Default: one, ClientID with
	// ClientSecret, any redirect URI, and any way to authenticate.
	Clients []Registration

	// Users are known people. Any other name typed into the login form signs in
	// too, as [NamedUser] says, unless KnownUsersOnly is set.
	Users          []User
	KnownUsersOnly bool

	// Algorithm signs ID tokens and JWT access tokens: RS256 (the default),
	// PS256, ES256 or EdDSA.
	Algorithm string

	// AccessTokens is how access tokens look. Default: Opaque.
	AccessTokens TokenFormat

	// AccessTokenLifetime and IDTokenLifetime default to 5 minutes,
	// RefreshTokenLifetime to 14 days, of each refresh token anew, and
	// CodeLifetime to one minute.
	AccessTokenLifetime  time.Duration
	IDTokenLifetime      time.Duration
	RefreshTokenLifetime time.Duration
	CodeLifetime         time.Duration

	// TellRefreshLifetime adds refresh_expires_in to token answers.
	TellRefreshLifetime bool

	// Rotation says what happens to a refresh token once it was used. Default:
	// Strict. GraceWindow is how long the Graced kinds let it be used again,
	// counted from its first use. Default: 30 s.
	Rotation    Rotation
	GraceWindow time.Duration

	// WideReuse makes a detected reuse revoke every grant that the user gave
	// this client, instead of the one that the token descends from.
	WideReuse bool

	// AlwaysRefresh issues a refresh token at every sign-in. Otherwise there is
	// one only where the scope offline_access was granted.
	AlwaysRefresh bool

	// RequireConsentForOffline grants offline_access only where the request
	// says prompt=consent, and leaves it out silently otherwise, as strict
	// providers do (OpenID Connect Core 11).
	RequireConsentForOffline bool

	// AskConsent asks the user for every client and set of scopes once in a
	// sign-in at the provider, not only where the request says prompt=consent.
	AskConsent bool

	// StrictClaims leaves the claims about the person out of the ID token, so
	// that they are found at the userinfo endpoint only (OpenID Connect Core 5.4).
	StrictClaims bool

	// FrontChannel lets clients ask for an ID token in the authorization response,
	// beside the code or alone (OpenID Connect Core 3.2, 3.3). It comes by form
	// post only.
	FrontChannel bool

	// PasswordGrant lets clients trade a user's name and password for tokens (RFC
	// 6749 section 4.3); see User.Password.
	PasswordGrant bool

	// RefreshOnce issues a refresh token as Google does: where the request says
	// access_type=offline, at the user's first sign-in to the client, and later
	// only with prompt=consent. The scope offline_access means nothing then.
	RefreshOnce bool

	// NameOnce tells the user's name as Apple does: at the first sign-in to the
	// client that asks for the scope name, in the parameter user of a form post, as
	// {"name":{"firstName":…,"lastName":…},"email":…}. Nobody signs it.
	NameOnce bool

	// V1Issuer is the issuer of access tokens in the format EntraV1. Default: Issuer.
	V1Issuer string

	// OptionalPKCE lets confidential clients come without a code challenge.
	OptionalPKCE bool

	// Resources are the values of the resource parameter (RFC 8707) that are
	// known. Default: any absolute URI.
	Resources []string
}

// withDefaults fills what is unset, and panics on what cannot work: a provider
// for tests has nobody else to tell.
func (c Config) withDefaults() Config {
	c.Issuer = cmp.Or(c.Issuer, "https://op.example")
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		panic(fmt.Sprintf("providertest: Config.Issuer %q: want http(s)://host[/path]", c.Issuer))
	}
	if len(c.Clients) == 0 {
		c.Clients = []Registration{{ID: ClientID, Secret: ClientSecret}}
	}
	for _, r := range c.Clients {
		if r.ID == "" {
			panic("providertest: Config.Clients: a registration without ID")
		}
		if !slices.Contains([]string{"", authBasic, authPost, authNone}, r.AuthMethod) {
			panic(fmt.Sprintf("providertest: Config.Clients: %s: unknown AuthMethod %q", r.ID, r.AuthMethod))
		}
	}
	c.V1Issuer = cmp.Or(c.V1Issuer, c.Issuer)
	c.Algorithm = cmp.Or(c.Algorithm, "RS256")
	if !slices.Contains(algorithms, c.Algorithm) {
		panic(fmt.Sprintf("providertest: Config.Algorithm %q: want one of %v", c.Algorithm, algorithms))
	}
	c.AccessTokenLifetime = cmp.Or(c.AccessTokenLifetime, 5*time.Minute)
	c.IDTokenLifetime = cmp.Or(c.IDTokenLifetime, 5*time.Minute)
	c.RefreshTokenLifetime = cmp.Or(c.RefreshTokenLifetime, 14*24*time.Hour)
	c.CodeLifetime = cmp.Or(c.CodeLifetime, time.Minute)
	c.GraceWindow = cmp.Or(c.GraceWindow, 30*time.Second)
	return c
}
