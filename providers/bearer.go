package providers

import (
	"context"
	"time"
)

// VerifyBearer judges an access token, or an ID token, that a client sends with
// every request: a JWT for ClientID or one of AllowedAudiences, which any client
// may have been issued unless OIDCConfig.Access says which. Until its expiry the
// provider is not asked, so that a user who was signed out there stays until then.
func (p *OIDC) VerifyBearer(ctx context.Context, raw Secret) (Identity, time.Time, error) {
	token, err := p.verify(ctx, raw, asClientToken, p.audiences(), func(token jwt) error {
		return p.checkBearer(token.claims, time.Now())
	})
	if err != nil {
		return Identity{}, time.Time{}, err
	}
	identity, err := p.identity(token)
	if err == nil {
		err = p.admit(token.claims, application(token.claims))
	}
	if err != nil {
		return Identity{}, time.Time{}, err
	}
	until, _ := token.claims.Time("exp")
	return identity, until, nil
}
