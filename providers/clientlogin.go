package providers

import (
	"context"
	"time"
)

// LoginWithTokens signs a user in with what a client has: the tokens that
// OIDCConfig.ClientLogin names, or a password where InsecurePasswordGrant allows
// that. The deciding token is judged before anything is asked of the provider
// but its keys; then whatever came with it has to be the same user's
// (docs/threats.md CDL4), and only then is a code or a refresh token spent.
func (p *OIDC) LoginWithTokens(ctx context.Context, sent ClientTokens) (*Login, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if p.cfg.InsecurePasswordGrant && sent.Username != "" {
		return p.loginWithPassword(ctx, sent)
	}
	proof, err := p.decide(ctx, sent)
	if err != nil {
		return nil, err
	}
	login := &Login{Provider: p.cfg.Name, Identity: proof.identity, AuthTime: proof.authTime(), Tokens: Tokens{
		SentAt:    time.Now(),
		ExpiresIn: max(0, min(sent.ExpiresIn, maxExpiresIn)),
	}}
	if proof.kind == ClientAuthenticationToken {
		login.Tokens.AuthenticationToken = sent.AuthenticationToken
	}
	if err := p.joinIDToken(ctx, login, proof, sent.IDToken); err != nil {
		return nil, err
	}
	if err := p.joinAccessToken(ctx, login, proof, sent.AccessToken); err != nil {
		return nil, err
	}
	if err := p.admit(login.Identity.Claims, proof.application); err != nil {
		return nil, err
	}
	if p.cfg.ClientLogin.AuthorizationCode && !sent.AuthorizationCode.IsZero() {
		err = p.joinCode(ctx, login, sent)
	} else {
		err = p.joinRefreshToken(ctx, login, sent.RefreshToken)
	}
	if err != nil {
		return nil, err
	}
	return login, nil
}

// proof is the token that says who a client's user is.
type proof struct {
	kind        ClientToken
	token       jwt
	identity    Identity
	application string // which it was issued to
}

// authTime is when the user proved who they are.
func (d proof) authTime() time.Time { return provedAt(d.token.claims) }

// decide finds the first good token among those that say who the user is. Where
// none is good, the error is about the first.
func (p *OIDC) decide(ctx context.Context, sent ClientTokens) (proof, error) {
	var first error
	for _, kind := range p.cfg.ClientLogin.Tokens {
		raw := kind.in(sent)
		if raw.IsZero() {
			continue
		}
		d, err := p.prove(ctx, kind, raw)
		if err == nil {
			return d, nil
		}
		if !isInvalid(err) {
			return proof{}, err
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		return proof{}, p.refused("verify", Incomplete, p.cfg.ClientLogin.missing())
	}
	return proof{}, first
}

// prove judges one token: it is for this application, of a moment ago.
func (p *OIDC) prove(ctx context.Context, kind ClientToken, raw Secret) (proof, error) {
	wanted := asClientToken
	if kind == ClientIDToken {
		wanted = asIDToken
	}
	audiences := p.audiences()
	token, err := p.verify(ctx, raw, wanted, audiences, func(token jwt) error {
		return p.checkClientToken(kind, token, time.Now())
	})
	if err != nil {
		return proof{}, err
	}
	identity, err := p.identity(token)
	issuedTo := application(token.claims)
	if kind == ClientIDToken && issuedTo == "" {
		issuedTo = audienceOf(token.claims, audiences) // an ID token is issued to whom it is for
	}
	return proof{kind, token, identity, issuedTo}, err
}
