package providers

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// asClientToken is the use of the tokens that a client has: access tokens (RFC
// 9068 section 2.1), or ID tokens in their place.
var asClientToken = use{"an access token", []string{"at+jwt", "application/at+jwt", "jwt"}}

// audiences are those of the tokens that clients bring.
func (p *OIDC) audiences() []string {
	return append([]string{p.cfg.ClientID}, p.cfg.AllowedAudiences...)
}

// audienceOf is the first of the audiences that the token has.
func audienceOf(c Claims, audiences []string) string {
	of := c.Strings("aud")
	if i := slices.IndexFunc(audiences, func(a string) bool { return slices.Contains(of, a) }); i >= 0 {
		return audiences[i]
	}
	return ""
}

// checkClientToken applies what a token must fulfil that a client signs its user
// in with (docs/threats.md CDL1, CDL3).
func (p *OIDC) checkClientToken(kind ClientToken, token jwt, now time.Time) error {
	return cmp.Or(
		p.checkBearer(token.claims, now),
		p.checkPresenter(kind, token.claims),
		checkAge(token.claims, p.cfg.ClientLogin.maxAge(), now))
}

// checkBearer applies what any token must fulfil that a client brings: it is for
// this application, and good for whoever holds it. One that is bound to a key
// (RFC 7800) is good for the holder of that key only, which nobody has shown.
func (p *OIDC) checkBearer(c Claims, now time.Time) error {
	switch {
	case audienceOf(c, p.audiences()) == "":
		return errors.New("aud is not this application")
	case c.Has("cnf"):
		return errors.New("token is bound to a key")
	}
	return p.checkOrigin(c, now)
}

// checkPresenter applies OpenID Connect Core 3.1.3.7 (4) and (5) to an ID token
// that may be for several clients of this application. An access token names in
// azp who it was issued to, which AccessPolicy judges.
func (p *OIDC) checkPresenter(kind ClientToken, c Claims) error {
	switch {
	case kind != ClientIDToken || p.cfg.ClientLogin.AnyPresenter:
		return nil
	case c.Has("azp") && !slices.Contains(p.audiences(), c.String("azp")):
		return errors.New("azp is another client")
	case len(c.Strings("aud")) > 1 && !c.Has("azp"):
		return errors.New("azp is missing though there are several audiences")
	}
	return nil
}

func checkAge(c Claims, most time.Duration, now time.Time) error {
	if iat, _ := c.Time("iat"); now.Sub(iat) > most {
		return errors.New("token was issued too long ago for a sign-in")
	}
	return nil
}
