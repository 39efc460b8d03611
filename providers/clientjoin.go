package providers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// joinIDToken takes an ID token that came beside the deciding one, if it is for
// this application too. One for another, such as the mobile application itself,
// is not kept: it proves nothing here.
func (p *OIDC) joinIDToken(ctx context.Context, login *Login, d proof, raw Secret) error {
	if raw.IsZero() || d.kind == ClientIDToken {
		login.Tokens.IDToken = raw
		return nil
	}
	beside, err := p.prove(ctx, ClientIDToken, raw)
	switch {
	case isInvalid(err):
		return nil
	case err != nil:
		return err
	case !beside.identity.same(login.Identity):
		return p.refused("verify", Invalid, errors.New("the tokens are two users'"))
	}
	login.Tokens.IDToken, login.Identity = raw, beside.identity
	return nil
}

// joinAccessToken takes the access token. One beside the deciding token is taken
// if it is known whose it is: by at_hash, because it is a token for this
// application, or because the provider says so.
func (p *OIDC) joinAccessToken(ctx context.Context, login *Login, d proof, raw Secret) error {
	login.Tokens.AccessToken = raw
	switch {
	case raw.IsZero():
		return nil
	case d.kind == ClientAccessToken:
		exp, _ := d.token.claims.Time("exp")
		login.Tokens.ExpiresIn = min(time.Until(exp), maxExpiresIn) // it says so itself
		return nil
	}
	return p.checkOwner(ctx, d, raw)
}

// checkOwner is whether an access token is the user's (OpenID Connect Core
// 3.1.3.8, 5.3.2; docs/threats.md CDL4).
func (p *OIDC) checkOwner(ctx context.Context, d proof, access Secret) error {
	if d.token.claims.Has("at_hash") {
		if err := checkAccessToken(d.token, access); err != nil {
			return p.refused("verify", Invalid, err)
		}
		return nil
	}
	if own, err := p.prove(ctx, ClientAccessToken, access); err == nil {
		if !own.identity.same(d.identity) {
			return p.refused("verify", Invalid, errors.New("the tokens are two users'"))
		}
		return nil
	}
	claims, err := p.UserInfo(ctx, access, d.identity.Subject)
	if e, ok := errors.AsType[*Error](err); ok && (e.Kind == Mismatch || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		return p.refused("verify", Invalid, errors.New("the access token is not that user's"))
	}
	if err == nil && claims.Len() == 0 {
		return p.refused("verify", Invalid, errors.New("nobody says whose the access token is: there is no userinfo endpoint"))
	}
	return err
}

// joinCode trades the code of a client's SDK, which has asked for it in the name
// of this application. It comes without a PKCE verifier, since SDKs hand none out.
func (p *OIDC) joinCode(ctx context.Context, login *Login, sent ClientTokens) error {
	meta, failure := p.metadata(ctx, "exchange")
	if failure != nil {
		return failure
	}
	tokens, failure := p.tokenCall(ctx, meta, nil, url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {sent.AuthorizationCode.Reveal()},
		"redirect_uri": {sent.RedirectURI},
	})
	if failure != nil {
		return notGood(failure, "the provider does not take the authorization code").in(p.cfg.Name, "exchange")
	}
	other, err := p.idToken(ctx, tokens.IDToken, func(token jwt) error { return checkAccessToken(token, tokens.AccessToken) })
	if err != nil {
		return err
	}
	if !other.same(login.Identity) {
		return p.refused("verify", Invalid, errors.New("the authorization code is another user's"))
	}
	tokens.AuthenticationToken = login.Tokens.AuthenticationToken
	login.Tokens = *tokens
	return nil
}

// joinRefreshToken takes a refresh token if it is the user's. It is used at once,
// since nothing but the ID token that comes of it says whose it is. A refresh token
// that was stolen is worth nothing without the client's secret (RFC 6749 section
// 10.4), and here somebody who has no secret asks us to use ours. One that is dead,
// or of which nobody says whose it is, is left out.
func (p *OIDC) joinRefreshToken(ctx context.Context, login *Login, raw Secret) error {
	if raw.IsZero() || p.cfg.NoRefresh {
		return nil
	}
	tokens, err := p.Refresh(ctx, RefreshRequest{RefreshToken: raw})
	if e, ok := errors.AsType[*Error](err); ok && (e.Kind == Revoked || e.Kind == Interaction) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, err := p.idToken(ctx, tokens.IDToken, func(jwt) error { return nil })
	switch {
	case isInvalid(err):
		return nil
	case err != nil:
		return err
	case !owner.same(login.Identity):
		return p.refused("verify", Invalid, errors.New("the refresh token is another user's"))
	}
	login.Tokens.RefreshToken, login.Tokens.RefreshExpiresIn = cmp.Or(tokens.RefreshToken, raw), tokens.RefreshExpiresIn
	return nil
}

// notGood turns the refusal of something that a client sent into one of the
// client: nobody else had it.
func notGood(e *Error, cause string) *Error {
	if e.Kind == Revoked || e.Code == "access_denied" { // Dex's word for a wrong password
		e.Kind, e.Err = Invalid, errors.New(cause)
	}
	return e
}

func isInvalid(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == Invalid
}
