package providers

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// asIDToken is the use of the tokens that say who signed in.
var asIDToken = use{"an ID token", []string{"jwt"}}

// VerifyRefreshed checks an ID token that came with a refresh: as at login,
// except that it must continue the identity was instead of answering a nonce.
// Mismatch means another issuer, subject or audience; NotAllowed that the user
// may not come in any more; Invalid any other defect; Unready that the provider's
// keys cannot be had now.
func (p *OIDC) VerifyRefreshed(ctx context.Context, idToken Secret, was Identity) (Identity, error) {
	return p.identify(ctx, idToken, func(token jwt) error { return p.checkContinuity(token, was) })
}

// identify is the one way from an ID token of ours to somebody who may come in.
// occasion holds what this token has to fulfil beyond every other.
func (p *OIDC) identify(ctx context.Context, raw Secret, occasion func(jwt) error) (Identity, error) {
	identity, err := p.idToken(ctx, raw, occasion)
	if err == nil {
		err = p.admit(identity.Claims, p.cfg.ClientID)
	}
	if err != nil {
		return Identity{}, err
	}
	return identity, nil
}

// idToken says who an ID token of this client is about.
func (p *OIDC) idToken(ctx context.Context, raw Secret, occasion func(jwt) error) (Identity, error) {
	token, err := p.verify(ctx, raw, asIDToken, []string{p.cfg.ClientID}, func(token jwt) error {
		return cmp.Or(occasion(token), p.checkClaims(token, time.Now()))
	})
	if err != nil {
		return Identity{}, err
	}
	return p.identity(token)
}

// identity is who a verified token is about.
func (p *OIDC) identity(token jwt) (Identity, error) {
	issuer, err := p.issuers().canonical(token.claims)
	return Identity{Issuer: issuer, Subject: token.claims.String("sub"), Claims: token.claims}, err
}

// verify is the one way from something that looks like a token to one that the
// provider signed. The claims are judged first, because that is free; the
// signature may cost a fetch of the provider's keys (docs/threats.md G8). One of
// the audiences is the token's, as judge has found out.
func (p *OIDC) verify(ctx context.Context, raw Secret, wanted use, audiences []string, judge func(jwt) error) (jwt, error) {
	token, err := parseJWT(raw.Reveal(), p.cfg.Algorithms, wanted)
	if err != nil {
		return jwt{}, p.refused("verify", Invalid, err)
	}
	if p.rule.Load() == nil { // nobody knows yet who may sign
		if _, failure := p.metadata(ctx, "verify"); failure != nil {
			return jwt{}, failure
		}
	}
	if err := judge(token); err != nil {
		kind := Invalid
		if errors.Is(err, errSomebodyElse) {
			kind = Mismatch
		}
		return jwt{}, p.refused("verify", kind, err)
	}
	return token, p.checkSignature(ctx, token, audienceOf(token.claims, audiences))
}

// checkSignature has go-oidc read the token a second time, with our keys: a
// defect in one reader is not a sign-in as somebody else.
func (p *OIDC) checkSignature(ctx context.Context, token jwt, audience string) error {
	keys := &tokenKeys{provider: p, token: token}
	reader := oidc.NewVerifier(token.claims.String("iss"), keys, &oidc.Config{
		ClientID:             audience,
		SupportedSigningAlgs: []string{token.alg},
		SkipExpiryCheck:      true, // its leeways are fixed (docs/threats.md G14)
	})
	_, err := reader.Verify(ctx, token.raw)
	var unready *Error
	switch {
	case errors.As(keys.err, &unready):
		return unready.in(p.cfg.Name, "verify")
	case keys.err != nil:
		return p.refused("verify", Invalid, keys.err)
	case err != nil: // its text quotes the token
		return p.refused("verify", Invalid, errors.New("token reads differently the second time"))
	}
	return nil
}

// tokenKeys are the keys for one token, as go-oidc asks for them. It keeps the
// error, of which go-oidc passes on the text only.
type tokenKeys struct {
	provider *OIDC
	token    jwt
	err      error
}

// VerifySignature implements oidc.KeySet.
func (k *tokenKeys) VerifySignature(ctx context.Context, _ string) (payload []byte, err error) {
	if algorithms[k.token.alg].keyType == symmetric {
		if payload, err = verifySignature([]byte(k.provider.cfg.ClientSecret.Reveal()), k.token); err != nil {
			err = errors.New("signature does not verify with the client secret")
		}
	} else {
		payload, err = k.provider.keys.verify(ctx, k.token)
	}
	k.err = err
	return payload, err
}
