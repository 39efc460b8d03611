package providers

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// leeway is granted to clocks that disagree, for moments that must not lie
	// in the future or too far back. An expiry gets none: a token that has just
	// been issued is nowhere near it (docs/threats.md JWT9, G14).
	leeway = 60 * time.Second

	maxSubject = 255 // OpenID Connect Core 2
)

// errSomebodyElse marks an identity that is not the one asked about.
var errSomebodyElse = errors.New("the ID token is about somebody else")

// checkClaims applies what every ID token must fulfil (OpenID Connect Core
// 2 and 3.1.3.7).
func (p *OIDC) checkClaims(token jwt, now time.Time) error {
	return cmp.Or(checkAudience(token.claims, p.cfg.ClientID), p.checkOrigin(token.claims, now))
}

// checkOrigin is what every token that says who somebody is must fulfil, whoever
// it is for.
func (p *OIDC) checkOrigin(c Claims, now time.Time) error {
	_, err := p.issuers().canonical(c)
	exp, hasExp := c.Time("exp")
	return cmp.Or(err,
		checkPurpose(c),
		checkSubject(c.String("sub")),
		checkTimes(c, exp, hasExp, now))
}

// checkPurpose refuses tokens that the provider signs for the same client with
// the same keys, but that tell of something else (docs/threats.md G5).
func checkPurpose(c Claims) error {
	if c.Has("events") {
		return errors.New("token tells of events, not of a sign-in")
	}
	return nil
}

// checkAudience applies Core 3.1.3.7 (3)-(5): the token is for this client, and
// where it is for others too, or names who it was issued to, that is this client.
func checkAudience(c Claims, clientID string) error {
	audience := c.Strings("aud")
	switch {
	case !slices.Contains(audience, clientID):
		return errors.New("aud is not this client")
	case c.Has("azp") && c.String("azp") != clientID:
		return errors.New("azp is another client")
	case len(audience) > 1 && !c.Has("azp"):
		return errors.New("azp is missing though there are several audiences")
	}
	return nil
}

// checkSubject applies Core 2: at most 255 ASCII characters. An empty one would
// make all users of the provider the same.
func checkSubject(sub string) error {
	if sub == "" {
		return errors.New("sub is missing")
	}
	if len(sub) > maxSubject || strings.ContainsFunc(sub, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return errors.New("sub is not of 1 to 255 printable ASCII characters")
	}
	return nil
}

// checkTimes demands exp and iat as numbers (docs/threats.md G1, JWT9).
func checkTimes(c Claims, exp time.Time, hasExp bool, now time.Time) error {
	iat, hasIat := c.Time("iat")
	nbf, hasNbf := c.Time("nbf")
	authTime, hasAuthTime := c.Time("auth_time")
	latest := now.Add(leeway)
	switch {
	case !hasExp:
		return errors.New("exp is missing or not a time")
	case !now.Before(exp):
		return errors.New("token has expired")
	case !hasIat:
		return errors.New("iat is missing or not a time")
	case iat.After(latest):
		return errors.New("iat is in the future")
	case c.Has("nbf") && !hasNbf:
		return errors.New("nbf is not a time")
	case nbf.After(latest):
		return errors.New("nbf is in the future")
	case c.Has("auth_time") && !hasAuthTime:
		return errors.New("auth_time is not a time")
	case authTime.After(latest):
		return errors.New("auth_time is in the future")
	}
	return nil
}

// checkNonce ties the token to the attempt (Core 3.1.3.7 (11); docs/threats.md LOG5).
func checkNonce(token jwt, f Flow) error {
	if subtle.ConstantTimeCompare([]byte(token.claims.String("nonce")), []byte(f.Nonce())) != 1 {
		return errors.New("nonce is not the one of this attempt")
	}
	return nil
}

// checkAccessToken compares at_hash where the token has one (Core 3.1.3.8;
// docs/threats.md JWT11).
func checkAccessToken(token jwt, access Secret) error {
	if token.claims.Has("at_hash") && token.claims.String("at_hash") != halfHash(token.alg, access.Reveal()) {
		return errors.New("at_hash is not that of the access token")
	}
	return nil
}

// halfHash is how an ID token names what came beside it: the left half of its
// hash (Core 3.1.3.6, 3.3.2.11).
func halfHash(alg, beside string) string {
	hash := algorithms[alg].hash.New()
	hash.Write([]byte(beside))
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:hash.Size()/2])
}

// checkAuthTime is whether the user signed in recently enough, where max_age was
// asked for (Core 3.1.3.7 (13); docs/threats.md JWT19). The age counts from when the
// attempt began: that is when the provider was asked.
func checkAuthTime(token jwt, f Flow) error {
	if f.MaxAge == nil {
		return nil
	}
	authTime, told := token.claims.Time("auth_time")
	if !told {
		return errors.New("auth_time is missing though max_age was asked for")
	}
	if age := f.CreatedAt.Sub(authTime); age > time.Duration(*f.MaxAge)*time.Second+leeway {
		return errors.New("auth_time is older than max_age allows")
	}
	return nil
}

// checkContinuity applies Core 12.2 (docs/threats.md JWT18): a refreshed token is
// about the same user at the same issuer for the same client, and claims no
// other sign-in than the original one.
func (p *OIDC) checkContinuity(token jwt, was Identity) error {
	c := token.claims
	issuer, err := p.issuers().canonical(c)
	authTime, told := c.Time("auth_time")
	original, known := was.Claims.Time("auth_time")
	switch {
	case err != nil || issuer != was.Issuer:
		return somebodyElse("iss")
	case c.String("sub") != was.Subject:
		return somebodyElse("sub")
	case !slices.Contains(c.Strings("aud"), p.cfg.ClientID):
		return somebodyElse("aud")
	case c.Has("nonce") && was.Claims.Has("nonce") && c.String("nonce") != was.Claims.String("nonce"):
		return errors.New("nonce is not that of the original sign-in")
	case told && known && !authTime.Equal(original):
		return errors.New("auth_time is not that of the original sign-in")
	}
	return nil
}

func somebodyElse(claim string) error { return fmt.Errorf("%w: %s differs", errSomebodyElse, claim) }
