package providers

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"
)

// vouched says who the ID token beside a code is about, before the code is spent:
// it names the attempt by its nonce and the code by its c_hash (OpenID Connect
// Core 3.3.2.9 to 3.3.2.11), so that a code of somebody else's response is found
// out although the provider would trade it. Who may come in is for the ID token
// behind the code to say: this one may leave groups out because they are many.
func (p *OIDC) vouched(ctx context.Context, f Flow, response url.Values) (Identity, error) {
	code := response.Get("code")
	return p.idToken(ctx, NewSecret(response.Get("id_token")), func(token jwt) error {
		return cmp.Or(checkNonce(token, f), checkCode(token, code), checkAuthTime(token, f))
	})
}

// checkCode compares c_hash, which an ID token beside a code has to have.
func checkCode(token jwt, code string) error {
	switch token.claims.String("c_hash") {
	case halfHash(token.alg, code):
		return nil
	case "":
		return errors.New("c_hash is missing though a code came with the ID token")
	}
	return errors.New("c_hash is not that of the code")
}

// loginByIDToken is a sign-in without a code: there are no tokens but the one
// that says who it is.
func (p *OIDC) loginByIDToken(ctx context.Context, f Flow, response url.Values) (*Login, error) {
	tokens := &Tokens{IDToken: NewSecret(response.Get("id_token")), SentAt: time.Now()}
	if p.cfg.Quirks.AuthenticationToken {
		tokens.AuthenticationToken = tokens.IDToken
	}
	return p.login(ctx, tokens, func(token jwt) error { return cmp.Or(checkNonce(token, f), checkAuthTime(token, f)) })
}
