package providers

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"time"
)

// Complete turns the authorization response into a login. The order is the
// defence: parameters, state, age and provider of the attempt, issuer, error
// parameter; then the ID token beside the code, where there is one; only then is
// the code spent, once, and the ID token behind it verified. Errors of Kind
// Denied, Interaction, NotAllowed, Invalid and Revoked are about this answer; the
// others are the provider's or the configuration's.
func (p *OIDC) Complete(ctx context.Context, f Flow, response url.Values) (*Login, error) {
	if err := checkAttempt(f, p.cfg.Name, response, time.Now()); err != nil {
		return nil, p.refused("exchange", Invalid, err)
	}
	meta, failure := p.metadata(ctx, "exchange")
	if failure != nil {
		return nil, failure
	}
	if err := p.checkSender(meta, response); err != nil {
		return nil, p.refused("exchange", Invalid, err)
	}
	if code := response.Get("error"); code != "" {
		return nil, classifyResponse(code, f.Silent).in(p.cfg.Name, "exchange")
	}
	if err := p.checkResponse(response); err != nil {
		return nil, p.refused("exchange", Invalid, err)
	}
	login, err := p.redeem(ctx, meta, f, response)
	if err == nil && p.cfg.Quirks.NameInResponse {
		login.Identity.Claims = login.Identity.Claims.Merge(nameIn(response.Get("user")))
	}
	return login, err
}

// redeem turns a response that belongs to the attempt into a login.
func (p *OIDC) redeem(ctx context.Context, meta *metadata, f Flow, response url.Values) (*Login, error) {
	if p.cfg.ResponseType == InsecureIDTokenOnly {
		return p.loginByIDToken(ctx, f, response)
	}
	var front Identity
	var err error
	if p.cfg.ResponseType == CodeWithIDToken {
		if front, err = p.vouched(ctx, f, response); err != nil {
			return nil, err
		}
	}
	tokens, err := p.exchange(ctx, meta, f, response.Get("code"))
	if err != nil {
		return nil, err
	}
	login, err := p.login(ctx, tokens, func(token jwt) error {
		return cmp.Or(checkNonce(token, f), checkAccessToken(token, tokens.AccessToken), checkAuthTime(token, f))
	})
	if err != nil {
		return nil, err
	}
	if p.cfg.ResponseType == CodeWithIDToken && !front.same(login.Identity) { // Core 3.3.3.6
		return nil, p.refused("verify", Invalid, errors.New("the ID tokens of the response and of the exchange are about two users"))
	}
	return login, nil
}

// checkResponse is whether the response brings what was asked for.
func (p *OIDC) checkResponse(response url.Values) error {
	switch {
	case p.cfg.ResponseType != InsecureIDTokenOnly && response.Get("code") == "":
		return errors.New("the response has no code")
	case p.cfg.ResponseType.front() && response.Get("id_token") == "":
		return errors.New("the response has no ID token")
	}
	return nil
}

// checkAttempt is whether a response belongs to this attempt at all.
func checkAttempt(f Flow, provider string, response url.Values, now time.Time) error {
	for _, values := range response {
		if len(values) != 1 {
			return errors.New("a parameter repeats") // docs/threats.md LOG3, MIX2
		}
	}
	switch {
	case response.Get("error") != "" && (response.Get("code") != "" || response.Get("id_token") != ""):
		return errors.New("the response has both a code and an error")
	case subtle.ConstantTimeCompare([]byte(response.Get("state")), []byte(f.State())) != 1:
		return errors.New("state is not the one of this attempt")
	case f.Expired(now):
		return errors.New("the attempt took too long")
	case f.Provider != provider:
		return errors.New("the attempt was begun with another provider") // docs/threats.md MIX1
	}
	return nil
}

// checkSender compares iss (RFC 9207 section 2.4), which error responses carry
// too: without it, one provider's answer can be passed off as another's. Beside an
// ID token some providers leave it out, since that says the same, signed; where
// one is awaited, it is verified before the code is spent.
func (p *OIDC) checkSender(meta *metadata, response url.Values) error {
	signed := p.cfg.ResponseType.front() && response.Get("id_token") != ""
	switch {
	case !response.Has("iss") && meta.tellsIssuer && !signed:
		return errors.New("the response lacks iss")
	case response.Has("iss") && !p.issuers().responds(response.Get("iss")):
		return errors.New("iss of the response is not the provider's issuer")
	}
	return nil
}

// exchange spends the code, exactly once.
func (p *OIDC) exchange(ctx context.Context, meta *metadata, f Flow, code string) (*Tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tokens, failure := p.tokenCall(ctx, meta, nil, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {f.RedirectURI},
		"code_verifier": {f.Verifier()},
	})
	switch {
	case failure == nil:
		return tokens, nil
	case failure.Kind == Unknown && failure.Status != 0 && !errors.Is(failure, errUnreadable):
		// The answer arrived and lacks something. A code, unlike a refresh token,
		// is of no use any more: there is nothing to be in doubt about.
		failure.Kind = Invalid
	}
	return nil, failure.in(p.cfg.Name, "exchange")
}

// login verifies the ID token that came with the tokens.
func (p *OIDC) login(ctx context.Context, tokens *Tokens, occasion func(jwt) error) (*Login, error) {
	if tokens.IDToken.IsZero() {
		return nil, p.refused("verify", Invalid, errors.New("the token response has no ID token"))
	}
	identity, err := p.identify(ctx, tokens.IDToken, occasion)
	if err != nil {
		return nil, err
	}
	return &Login{Provider: p.cfg.Name, Identity: identity, Tokens: *tokens, AuthTime: provedAt(identity.Claims)}, nil
}
