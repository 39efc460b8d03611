// Package providers says who vouches for a user: it speaks the provider's
// protocol, decides whether an answer is true, and says what a failure means.
//
// [NewOIDC] makes an OpenID Connect provider from an [OIDCConfig]; the presets
// ([Google], [EntraID], [Okta], ...) fill one in. [NewGitHub], [NewFacebook] and
// [NewTwitter] are for those that speak protocols of their own. Nothing here
// dials before it is asked to sign somebody in or to refresh a token: an
// application starts while its provider is down, and its sign-ins are told to
// come back.
//
// # One sign-in
//
// [NewFlow] draws the secrets of one attempt. [Provider] Begin turns it into the
// address to send the browser to, and Complete turns what the browser brings
// back into a [Login]: who the user is, and the provider's tokens. Between the
// two the [Flow] has to rest where only this browser can bring it back from,
// and Complete must be called at most once for it; both are the caller's part.
//
// # What a provider can do beyond that
//
// Small interfaces, found by type assertion: [Refresher], [Verifier],
// [UserInfoReader], [Revoker], [SessionEnder], [LogoutVerifier], [ClientLogin],
// [BearerVerifier] and [SilentLogin]. [OIDC] is all of them. A refresh presents
// its token once and never again by itself, since only who stores tokens can know
// whether that is safe.
//
// # Failures
//
// Every error is an [*Error], whose [Kind] is what callers branch on: whether
// the answer was refused, the user turned away, the provider unwell, or the
// outcome lost. No error holds a token, a code or anything else of what came
// over the wire.
package providers

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Provider signs people in by redirect. Implementations are safe for
// concurrent use. What a provider can do beyond that are the small interfaces
// below, found by type assertion.
type Provider interface {
	// Name is the provider's alias: the path segment in /.auth/login/<name>,
	// and the auth_typ of its users. It matches ^[a-z0-9][a-z0-9_]{0,31}$.
	Name() string

	// Begin returns the URL of the authorization request for one attempt, and
	// notes in f what Complete needs to know of it. params are the caller's own
	// parameters: each overrides a configured one of the same name, except the
	// parameters that the flow itself owns, which are ignored.
	// The error is an *Error.
	Begin(ctx context.Context, f *Flow, params url.Values) (string, error)

	// Complete turns the authorization response into a login: it checks state,
	// issuer and error parameter before it spends the code, and verifies the
	// ID token before it says who signed in. The error is an *Error.
	Complete(ctx context.Context, f Flow, response url.Values) (*Login, error)
}

// ValidName reports whether name can be a provider's alias.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// Refresher is the ability to trade a refresh token for fresh tokens.
type Refresher interface {
	// Refresh presents the refresh token once and never again by itself.
	// ctx carries the deadline of the whole call. The error is an *Error whose
	// Kind says whether the token may have been consumed.
	Refresh(ctx context.Context, req RefreshRequest) (*Tokens, error)

	// RefreshPolicy says how this provider treats refresh tokens. It never dials.
	RefreshPolicy() RefreshPolicy
}

// RefreshRequest is one use of a refresh token.
type RefreshRequest struct {
	RefreshToken Secret
	Resource     string   // RFC 8707 resource; empty for the default audience
	Scopes       []string // a scope set of its own; nil leaves the parameter out (RFC 6749 section 6)
}

// RefreshPolicy is what a preset or the configuration knows about a provider's
// refresh tokens.
type RefreshPolicy struct {
	Class  ReplayClass
	Window time.Duration // Graced only: how long a consumed token may be replayed after its first use
	// Wide: using a consumed token again ends more than the one login it belongs
	// to (Better Auth: every login of the user at this client). Such a token is
	// never tried a second time, and nothing is learnt about it; elsewhere it is
	// tried once after a lost answer, when nothing of the first try can still be
	// on its way.
	Wide     bool
	Lifetime time.Duration // of a refresh token where the provider does not tell; 0: unknown
	Sliding  bool          // Lifetime starts again at every use
}

// ReplayClass says what happens to a refresh token once it was used.
type ReplayClass uint8

const (
	// Learnt: nobody knows, so each login finds out. Until a refresh has shown
	// what the provider does it is Strict, which is never wrong; it becomes
	// Reusable once a refresh returned the same token, or none, and goes back to
	// Strict for good with the first that returned a new one. The zero value.
	//
	// It is wrong about a provider that keeps a token at first and changes it
	// late in its life, if it is the answer of just that refresh that is lost:
	// the token is then presented again at once, where Strict waits until
	// nothing of the first call can still arrive. Say Strict for such a provider.
	Learnt ReplayClass = iota
	// Strict: a used token is dead, and using it again may kill its successor.
	Strict
	// Graced: a used token may be replayed for RefreshPolicy.Window.
	Graced
	// Reusable: a used token stays valid.
	Reusable
)

// String returns the lower-case name.
func (c ReplayClass) String() string {
	if names := [...]string{"learnt", "strict", "graced", "reusable"}; int(c) < len(names) {
		return names[c]
	}
	return "class" + strconv.Itoa(int(c))
}

// Registered is the ability to say which registration tokens belong to.
type Registered interface {
	// Registration names the issuer and the client, which together own every
	// refresh token. Tokens of another registration are never sent anywhere: an
	// alias that was pointed at another issuer must not hand it the tokens of the
	// first (docs/refresh.md E3). It is no secret, and never dials.
	Registration() string
}

// ClientLogin is the ability to sign a user in with tokens that a client, such
// as a mobile application with the provider's own SDK, already has.
type ClientLogin interface {
	// LoginWithTokens checks that the tokens were issued to this application, for
	// one and the same user, a moment ago, and says who that is (docs/threats.md
	// CDL1-CDL4). The error is an *Error: Incomplete where the tokens that the
	// provider needs are not there, Invalid where they are not good, NotAllowed
	// where the user is not.
	LoginWithTokens(ctx context.Context, tokens ClientTokens) (*Login, error)
}

// ClientTokens is what a client sends to sign its user in: the members of the
// body of POST /.auth/login/<provider>. Which ones count, the provider knows.
type ClientTokens struct {
	AccessToken         Secret
	AccessTokenSecret   Secret // OAuth 1.0a
	AuthenticationToken Secret // Microsoft account
	IDToken             Secret
	RefreshToken        Secret
	AuthorizationCode   Secret // of Google's SDKs, with RedirectURI
	RedirectURI         string
	ExpiresIn           time.Duration // of the access token; 0: not told
	Username            string        // with Password: the resource owner's own, where the provider is configured for it
	Password            Secret
}

// BearerVerifier is the ability to judge the access tokens that clients of this
// application, taken as an API, send in Authorization (RFC 6750).
type BearerVerifier interface {
	// VerifyBearer checks that the token was issued for this application and says
	// for whom, and until when it is good. An *Error of Kind Invalid means that it
	// is none of ours, NotAllowed that its user or its client may not come in.
	VerifyBearer(ctx context.Context, token Secret) (Identity, time.Time, error)
}

// SilentLogin is the ability to sign a user in again without showing anything,
// who is still signed in at the provider.
type SilentLogin interface {
	// SilentParams are the parameters of Begin that ask for it, such as
	// prompt=none; nil where the provider cannot do it. Complete of a Silent flow
	// fails with the Kind Interaction where the user would have to be asked.
	SilentParams() url.Values
}

// Named is the ability to say which claim a user's name is taken from.
type Named interface {
	// NameClaim is the name of the claim, as the provider sends it or as App
	// Service knows it; empty where nothing is configured.
	NameClaim() string
}

// Verifier is the ability to read the identity out of a refreshed ID token.
type Verifier interface {
	// VerifyRefreshed checks an ID token that came with a refresh: the same
	// checks as at login except the nonce, and issuer, subject and audience
	// must be those of was (OpenID Connect Core 12.2). An *Error of Kind
	// Mismatch means that the token is about somebody else.
	VerifyRefreshed(ctx context.Context, idToken Secret, was Identity) (Identity, error)
}

// UserInfoReader is the ability to ask for more claims about a signed-in user.
type UserInfoReader interface {
	// UserInfo reads the userinfo endpoint. A provider without one returns no
	// claims and no error. An answer about another subject is an *Error of Kind
	// Mismatch.
	UserInfo(ctx context.Context, accessToken Secret, subject string) (Claims, error)
}

// Revoker is the ability to revoke a refresh token (RFC 7009).
type Revoker interface {
	// Revoke asks the provider to revoke the token. A provider without a
	// revocation endpoint returns nil: there is nothing to be done.
	Revoke(ctx context.Context, refreshToken Secret) error
}

// EndSessionRequest is what RP-initiated logout sends along.
type EndSessionRequest struct {
	IDTokenHint           Secret
	PostLogoutRedirectURI string
	State                 string
}

// SessionEnder is the ability to sign the user out at the provider
// (OpenID Connect RP-Initiated Logout 1.0).
type SessionEnder interface {
	// EndSessionURL returns where to send the browser, or "" where the provider
	// has no such endpoint or cannot be reached for discovery right now.
	EndSessionURL(ctx context.Context, req EndSessionRequest) string
}

// LogoutVerifier is the ability to read logout tokens, by which a provider tells
// that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).
type LogoutVerifier interface {
	// VerifyLogout checks a logout token: that the provider signed it, for this
	// client, a moment ago, and that it tells of a logout and of nothing else.
	// Whether it came before is for the caller to find out, by its TokenID.
	// An *Error of Kind Invalid means that the token is none, any other that it
	// cannot be found out now and may be delivered again.
	VerifyLogout(ctx context.Context, logoutToken Secret) (Logout, error)
}
