package providers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// LoginWithTokens signs a user in with the access token that a client got from
// Facebook's SDK. It is accepted if Facebook says that it is valid, of a user,
// and issued to this application: the token of another one is just as genuine,
// and its user signed in somewhere else (docs/threats.md CDL1, CDL2).
func (p *Facebook) LoginWithTokens(ctx context.Context, tokens ClientTokens) (*Login, error) {
	if tokens.AccessToken.IsZero() {
		return nil, p.grant.refused("verify", Incomplete, errors.New("there is no access token"))
	}
	if err := checkClientToken(tokens.AccessToken); err != nil {
		return nil, p.grant.refused("verify", Invalid, err)
	}
	sentAt := time.Now()
	user, expires, failure := p.inspect(ctx, tokens.AccessToken)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "verify")
	}
	login, err := p.login(ctx, &Tokens{
		AccessToken: tokens.AccessToken,
		SentAt:      sentAt,
		ExpiresIn:   lifetimeUntil(expires, maxFacebookToken),
	})
	if err == nil && login.Identity.Subject != user {
		return nil, p.grant.refused("verify", Mismatch, errors.New("the profile is not that of the token's user"))
	}
	return login, err
}

// inspect asks Facebook what it knows of a token: whose it is, and until when it
// is good; zero where it has no end.
func (p *Facebook) inspect(ctx context.Context, token Secret) (user string, expires time.Time, _ *Error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ours := NewSecret(p.cfg.AppID + "|" + p.cfg.AppSecret.Reveal())
	ans, failure := p.grant.wire.call(ctx, p.graph+"/debug_token?"+url.Values{"input_token": {token.Reveal()}}.Encode(), ours)
	if failure != nil {
		return "", expires, failure
	}
	if ans.status != http.StatusOK {
		failure := classifyGraph(ans)
		switch {
		case graphFailure(ans.body).code == graphBadParameter:
			failure.Kind = Invalid // another application's token
		case failure.Kind == Revoked:
			failure.Kind = Misconfigured // our own, which is made of the app secret
		}
		return "", expires, failure
	}
	refused := func(cause string) (string, time.Time, *Error) {
		return "", time.Time{}, &Error{Kind: Invalid, Err: errors.New(cause)}
	}
	envelope, err := ParseClaims(ans.body)
	if err != nil {
		return refused("the answer is not a JSON object")
	}
	data, err := ParseClaims(envelope.Raw("data"))
	switch {
	case err != nil:
		return refused("the answer does not describe a token")
	case data.String("app_id") != p.cfg.AppID:
		return refused("the access token was issued to another application")
	case !data.Bool("is_valid"):
		return refused("the access token is not valid")
	case data.String("type") != "USER":
		return refused("the access token is not a user's")
	}
	user = data.String("user_id")
	if err := checkUserID(user); err != nil {
		return refused("the token has no user")
	}
	if at, told := data.Time("expires_at"); told && at.Unix() > 0 {
		if expires = at; !expires.After(time.Now()) {
			return refused("the access token has expired")
		}
	}
	return user, expires, nil
}
