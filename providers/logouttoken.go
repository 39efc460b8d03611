package providers

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Logout is what a logout token says: who, or which session of whom, has ended
// at the provider. At least one of Subject and SID is set.
type Logout struct {
	Issuer    string    // as in an Identity
	Subject   string    // the user; empty where only the session is named
	SID       string    // the provider's name for its session, as in ID tokens; empty: all sessions of the user
	TokenID   string    // unique among the issuer's logout tokens (jti)
	ExpiresAt time.Time // the token is refused from then on; at most an hour ahead
}

const (
	// logoutEvent names the event that a logout token tells of (Back-Channel
	// Logout 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// maxLogoutLife is the longest that a logout token may be good for: for so
	// long its TokenID has to be remembered. Providers grant two minutes.
	maxLogoutLife = time.Hour

	// untoldLogoutLife is for providers that do not tell.
	untoldLogoutLife = 2 * time.Minute
)

// asLogoutToken is the use of the tokens that say who signed out. Older providers
// give them no type of their own.
var asLogoutToken = use{"a logout token", []string{"logout+jwt", "jwt"}}

// VerifyLogout checks a logout token by Back-Channel Logout 2.6, steps 1 to 7;
// what the libraries below leave out of them is listed in docs/threats.md G13. The
// algorithms are those of ID tokens. Encrypted tokens are refused, because this
// client registers no key that they could be encrypted for. The error is an
// *Error: Invalid for whatever is no logout token of this provider for this
// client, Unready or Misconfigured where the provider's keys cannot be had.
func (p *OIDC) VerifyLogout(ctx context.Context, raw Secret) (Logout, error) {
	token, err := p.verify(ctx, raw, asLogoutToken, []string{p.cfg.ClientID}, func(token jwt) error {
		return p.checkLogout(token.claims, time.Now())
	})
	if err != nil {
		return Logout{}, err
	}
	issuer, err := p.issuers().canonical(token.claims)
	expiry, _ := p.logoutExpiry(token.claims)
	return Logout{
		Issuer:    issuer,
		Subject:   token.claims.String("sub"),
		SID:       token.claims.String("sid"),
		TokenID:   token.claims.String("jti"),
		ExpiresAt: expiry,
	}, err
}

// checkLogout applies Back-Channel Logout 2.6 (3) to (7).
func (p *OIDC) checkLogout(c Claims, now time.Time) error {
	_, err := p.issuers().canonical(c)
	return cmp.Or(err,
		checkEvent(c),
		checkAudience(c, p.cfg.ClientID),
		p.checkLogoutTimes(c, now),
		checkNames(c))
}

// checkEvent is whether the token tells of a logout, and is no ID token that
// does so beside its own business: those have a nonce, and no logout token has
// one, not even null.
func checkEvent(c Claims) error {
	events, err := ParseClaims(c.Raw("events"))
	if err != nil {
		return errors.New("events is missing or not an object")
	}
	event := events.Raw(logoutEvent)
	switch {
	case event == nil:
		return errors.New("token tells of other events, not of a logout")
	case event[0] != '{':
		return errors.New("the logout event is not an object")
	case c.Has("nonce"):
		return errors.New("token has a nonce, as no logout token has")
	}
	return nil
}

// checkLogoutTimes demands exp and iat as in ID tokens, and keeps tokens from
// being good for longer than anybody remembers that they were used. With that,
// whatever has not expired is fresh.
func (p *OIDC) checkLogoutTimes(c Claims, now time.Time) error {
	exp, hasExp := p.logoutExpiry(c)
	if err := checkTimes(c, exp, hasExp, now); err != nil {
		return err
	}
	if iat, _ := c.Time("iat"); exp.Sub(iat) > maxLogoutLife {
		return errors.New("token is good for more than an hour")
	}
	return nil
}

// logoutExpiry is until when a token is good. Where the provider is known to
// leave that out, it is what providers are to grant at most (Back-Channel Logout
// 4), counted from iat.
func (p *OIDC) logoutExpiry(c Claims) (time.Time, bool) {
	if iat, ok := c.Time("iat"); ok && !c.Has("exp") && p.cfg.Quirks.LogoutWithoutExpiry {
		return iat.Add(untoldLogoutLife), true
	}
	return c.Time("exp")
}

// checkNames demands something to tell the token by, and something to tell by
// what is to end.
func checkNames(c Claims) error {
	switch {
	case c.String("jti") == "":
		return errors.New("jti is missing")
	case !c.Has("sub") && !c.Has("sid"):
		return errors.New("both sub and sid are missing")
	case c.Has("sid") && c.String("sid") == "":
		return errors.New("sid is empty or not a string")
	case c.Has("sub"):
		return checkSubject(c.String("sub"))
	}
	return nil
}
