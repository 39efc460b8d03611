package providers

import "time"

// Login is the result of a completed sign-in.
type Login struct {
	Provider string
	Identity Identity
	Tokens   Tokens

	// AuthTime is when the user proved who they are. An OpenID Connect provider
	// tells it in auth_time, and must where max_age was asked for; where it does not
	// it is the beginning of 1970. That somebody came back from the provider proves
	// nothing: a browser that was left open there is sent on without a question.
	// Providers that know no max_age are taken at the time of their answer.
	AuthTime time.Time
}

// unproved is the AuthTime of whoever may not have been asked who they are.
var unproved = time.Unix(0, 0)

// provedAt is the AuthTime of an ID token.
func provedAt(c Claims) time.Time {
	if at, told := c.Time("auth_time"); told {
		return at
	}
	return unproved
}

// Identity is who the provider says the user is. Issuer and Subject together
// are the identity; everything else, e-mail included, is decoration
// (docs/threats.md JWT17).
type Identity struct {
	Issuer  string
	Subject string
	Claims  Claims // of the ID token, in its order
}

// same reports whether both are the same user.
func (i Identity) same(o Identity) bool { return i.Issuer == o.Issuer && i.Subject == o.Subject }

// Tokens is one answer of a token endpoint.
type Tokens struct {
	AccessToken  Secret
	RefreshToken Secret // zero: none came; at a refresh the old one stays in force
	IDToken      Secret // zero: none came

	AccessTokenSecret   Secret // of an OAuth 1.0a provider
	AuthenticationToken Secret // of Microsoft's older account service

	Scope string // as granted; empty: as asked for (RFC 6749 section 5.1)

	SentAt           time.Time     // when the request left; lifetimes are counted from here
	ExpiresIn        time.Duration // of the access token; 0: unknown
	RefreshIn        time.Duration // the provider's own hint when to refresh; 0: none
	RefreshExpiresIn time.Duration // of the refresh token; 0: unknown
}
