package providers

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// loginWithPassword trades a user name and a password for tokens (RFC 6749
// section 4.3). The ID token that comes with them says who it is, so that the
// name that was typed is nothing but a key.
func (p *OIDC) loginWithPassword(ctx context.Context, sent ClientTokens) (*Login, error) {
	if sent.Password.IsZero() {
		return nil, p.refused("exchange", Incomplete, errors.New("there is no password"))
	}
	meta, failure := p.metadata(ctx, "exchange")
	if failure != nil {
		return nil, failure
	}
	tokens, failure := p.tokenCall(ctx, meta, nil, url.Values{
		"grant_type": {"password"},
		"username":   {sent.Username},
		"password":   {sent.Password.Reveal()},
		"scope":      {strings.Join(p.cfg.Scopes, " ")},
	})
	if failure != nil {
		return nil, notGood(failure, "the provider does not take the user name and the password").in(p.cfg.Name, "exchange")
	}
	return p.login(ctx, tokens, func(token jwt) error { return checkAccessToken(token, tokens.AccessToken) })
}
