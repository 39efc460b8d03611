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
// and its user signed in somewhere else (docs/threats.md CDL1, CDL2). Its age
// does not count, since the SDK keeps a token for up to 60 days; where Facebook
// tells it, that is when the user proved who they are.
func (p *Facebook) LoginWithTokens(ctx context.Context, tokens ClientTokens) (*Login, error) {
	if tokens.AccessToken.IsZero() {
		return nil, p.grant.refused("verify", Incomplete, errors.New("there is no access token"))
	}
	if err := checkClientToken(tokens.AccessToken); err != nil {
		return nil, p.grant.refused("verify", Invalid, err)
	}
	sentAt := time.Now()
	token, failure := p.inspect(ctx, tokens.AccessToken)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "verify")
	}
	proved := unproved
	if !token.issued.IsZero() && token.issued.Before(sentAt) {
		proved = token.issued
	}
	login, err := p.login(ctx, &Tokens{
		AccessToken: tokens.AccessToken,
		SentAt:      sentAt,
		ExpiresIn:   lifetimeUntil(token.expires, maxFacebookToken),
	}, proved)
	switch {
	case err != nil:
		return nil, err
	case login.Identity.Subject != token.user: // docs/threats.md CDL4
		return nil, p.grant.refused("verify", Mismatch, errors.New("the profile is not that of the token's user"))
	}
	return login, nil
}

// inspectedToken is what Facebook knows of a token.
type inspectedToken struct {
	user    string
	issued  time.Time // zero: not told
	expires time.Time // zero: never, or not told
}

// inspect asks Facebook about a token that a client brought.
func (p *Facebook) inspect(ctx context.Context, token Secret) (inspectedToken, *Error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ours := NewSecret(p.cfg.AppID + "|" + p.cfg.AppSecret.Reveal())
	ans, failure := p.grant.wire.call(ctx, p.graph+"/debug_token?"+url.Values{"input_token": {token.Reveal()}}.Encode(), ours)
	if failure != nil {
		return inspectedToken{}, failure
	}
	if ans.status != http.StatusOK {
		failure := classifyGraph(ans)
		switch {
		case graphFailure(ans.body).code == graphBadParameter:
			failure.Kind = Invalid // another application's token
		case failure.Kind == Revoked:
			failure.Kind = Misconfigured // our own, which is made of the app secret
		}
		return inspectedToken{}, failure
	}
	inspected, err := p.readInspection(ans.body, time.Now())
	if err != nil {
		return inspectedToken{}, &Error{Kind: Invalid, Err: err}
	}
	return inspected, nil
}

// readInspection refuses a token that is not good now, or not for us.
func (p *Facebook) readInspection(body []byte, now time.Time) (inspectedToken, error) {
	envelope, err := ParseClaims(body)
	if err != nil {
		return inspectedToken{}, errors.New("the answer is not a JSON object")
	}
	data, err := ParseClaims(envelope.Raw("data"))
	if err != nil {
		return inspectedToken{}, errors.New("the answer does not describe a token")
	}
	token := inspectedToken{user: data.String("user_id")}
	token.issued, _ = data.Time("issued_at")
	if at, told := data.Time("expires_at"); told && at.Unix() > 0 { // 0: never
		token.expires = at
	}
	switch {
	case data.String("app_id") != p.cfg.AppID:
		err = errors.New("the access token was issued to another application")
	case !data.Bool("is_valid"):
		err = errors.New("the access token is not valid")
	case data.String("type") != "USER":
		err = errors.New("the access token is not a user's")
	case checkUserID(token.user) != nil:
		err = errors.New("the access token has no user")
	case !token.expires.IsZero() && !token.expires.After(now):
		err = errors.New("the access token has expired")
	}
	return token, err
}
