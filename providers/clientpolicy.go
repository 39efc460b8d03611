package providers

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clientMaxAge is how old a client's token may be by default (docs/threats.md
// CDL3).
const clientMaxAge = 5 * time.Minute

// ClientLoginPolicy says with which tokens a client may sign its user in. The
// zero value takes none.
type ClientLoginPolicy struct {
	// Tokens are the kinds that say who the user is, the most telling first: the
	// first of them that was sent and is good decides, and whatever else was sent
	// has to fit it.
	Tokens []ClientToken

	// MaxAge is how long ago the deciding token may have been issued. Zero: 5
	// minutes. A client's token answers no nonce, so that its age is all that
	// keeps one that was found somewhere from being used (docs/threats.md CDL3).
	MaxAge time.Duration

	// AnyPresenter: whom the ID token was issued to (its azp) does not matter, as
	// long as it is for this application. It is for providers that issue such
	// tokens only to clients of the same owner, as Google does.
	AnyPresenter bool

	// AuthorizationCode: the client may send a code along, which is traded for an
	// access and a refresh token of the same user.
	AuthorizationCode bool
}

// ClientToken is a kind of token that a client can send.
type ClientToken uint8

const (
	// ClientIDToken is the member id_token: an ID token for this application.
	ClientIDToken ClientToken = iota
	// ClientAccessToken is the member access_token: a JWT for this application,
	// be it an access token or, as some clients have it, an ID token. Access
	// tokens that nobody but the provider can read are refused: they do not say
	// whom they were issued to (docs/threats.md CDL2).
	ClientAccessToken
	// ClientAuthenticationToken is the member authentication_token, read like an
	// access token.
	ClientAuthenticationToken
)

// String returns the name of the member.
func (t ClientToken) String() string {
	if names := [...]string{"id_token", "access_token", "authentication_token"}; int(t) < len(names) {
		return names[t]
	}
	return "token" + strconv.Itoa(int(t))
}

// in is the token of this kind among those that were sent.
func (t ClientToken) in(sent ClientTokens) Secret {
	switch t {
	case ClientIDToken:
		return sent.IDToken
	case ClientAccessToken:
		return sent.AccessToken
	}
	return sent.AuthenticationToken
}

func (c ClientLoginPolicy) maxAge() time.Duration { return cmp.Or(c.MaxAge, clientMaxAge) }

// missing says what a client should have sent.
func (c ClientLoginPolicy) missing() error {
	if len(c.Tokens) == 0 {
		return errors.New("no client signs its users in at this provider: OIDCConfig.ClientLogin names no tokens")
	}
	var members []string
	for _, t := range c.Tokens {
		members = append(members, t.String())
	}
	return errors.New("there is no " + strings.Join(members, " and no "))
}

func (c ClientLoginPolicy) clone() ClientLoginPolicy {
	c.Tokens = slices.Clone(c.Tokens)
	return c
}
