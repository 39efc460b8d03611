package providers

import (
	"context"
	"crypto/subtle"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// twitterIssuer is the issuer of every identity of X. It keeps its first name,
// whatever the service is called, because it is part of who the user is.
const twitterIssuer = "https://twitter.com"

// Twitter signs people in with X, formerly Twitter, which speaks OAuth 1.0a
// (RFC 5849): every request is signed, with the application's secret and the
// token's. It is safe for concurrent use.
//
// Tokens never expire, so there is nothing to refresh. They are not revoked
// either when somebody signs out: all sign-ins of a user at an application have
// one and the same token, and the others would end with it.
type Twitter struct {
	cfg       TwitterConfig
	wire      wire
	beginning chan struct{} // holds one for each attempt that is beginning
}

// maxBeginning is how many attempts can be beginning at once: each costs X a call,
// and whoever opens the login page begins one (docs/threats.md DOS1).
const maxBeginning = 32

var (
	_ Provider    = (*Twitter)(nil)
	_ ClientLogin = (*Twitter)(nil)
	_ Registered  = (*Twitter)(nil)
)

// NewTwitter returns the provider that cfg describes. It never dials. The error
// joins every mistake in cfg, each with its remedy.
func NewTwitter(cfg TwitterConfig) (*Twitter, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Twitter{cfg, newWire(cfg.HTTPClient), make(chan struct{}, maxBeginning)}, nil
}

// Name returns the provider's alias.
func (p *Twitter) Name() string { return p.cfg.Name }

// Registration is the issuer and the consumer key.
func (p *Twitter) Registration() string { return twitterIssuer + " " + p.cfg.ConsumerKey }

// Begin asks X for a request token and returns the URL at which the user
// authorizes it. OAuth 1.0a has no state: it goes into the callback's address,
// which X keeps with the request token. The request token and its secret rest
// in f.Memo, and so in the attempt's sealed cookie. Of a caller's parameters
// only force_login, screen_name and lang are passed on.
func (p *Twitter) Begin(ctx context.Context, f *Flow, params url.Values) (string, error) {
	query := copyValues(p.cfg.AuthParams)
	known := maps.Clone(params)
	maps.DeleteFunc(known, func(name string, _ []string) bool { return !slices.Contains(twitterParams, name) })
	if err := override(query, known); err != nil {
		return "", p.refused("begin", Invalid, err)
	}
	callback, err := url.Parse(f.RedirectURI)
	if err != nil {
		return "", p.refused("begin", Misconfigured, errors.New("the redirect URI is unusable"))
	}
	at := callback.Query()
	at.Set("state", f.State())
	callback.RawQuery = at.Encode()

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	select {
	case p.beginning <- struct{}{}:
		defer func() { <-p.beginning }()
	case <-ctx.Done():
		return "", p.refused("begin", Busy, errors.New("too many attempts begin at once"))
	}
	token, failure := p.requestToken(ctx, callback.String())
	if failure != nil {
		return "", failure.in(p.cfg.Name, "begin")
	}
	f.Memo = token.value + " " + token.secret.Reveal()
	query.Set("oauth_token", token.value)
	return p.cfg.API + "/oauth/authenticate?" + query.Encode(), nil
}

// Complete turns the authorization response into a login: state, age and
// provider of the attempt, a refusal, and the request token are checked, then
// the request token is spent, once, and X is asked whose token it gave.
func (p *Twitter) Complete(ctx context.Context, f Flow, response url.Values) (*Login, error) {
	if err := checkAttempt(f, p.cfg.Name, response, time.Now()); err != nil {
		return nil, p.refused("exchange", Invalid, err)
	}
	value, secret, _ := strings.Cut(f.Memo, " ")
	token := requestToken{value, NewSecret(secret)}
	denied := response.Get("denied") != ""
	switch given := response.Get("oauth_token") + response.Get("denied"); {
	case value == "" || secret == "":
		return nil, p.refused("exchange", Invalid, errors.New("the attempt has no request token"))
	case denied && response.Get("oauth_token") != "":
		return nil, p.refused("exchange", Invalid, errors.New("the response has both a token and a refusal"))
	case subtle.ConstantTimeCompare([]byte(given), []byte(value)) != 1:
		return nil, p.refused("exchange", Invalid, errors.New("the request token is not the one of this attempt"))
	case denied:
		return nil, p.refused("exchange", Denied, nil)
	case response.Get("oauth_verifier") == "":
		return nil, p.refused("exchange", Invalid, errors.New("the response has no verifier"))
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tokens, user, failure := p.accessToken(ctx, token, response.Get("oauth_verifier"))
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "exchange")
	}
	login, failure := p.login(ctx, tokens)
	switch {
	case failure != nil:
		return nil, failure.in(p.cfg.Name, "userinfo")
	case user != "" && user != login.Identity.Subject:
		return nil, p.refused("userinfo", Mismatch, errors.New("the profile is not that of the token's user"))
	}
	return login, nil
}

// LoginWithTokens signs a user in with the token and the secret that a client
// got from X. The request for the profile is signed with this application's
// secret as well, so X answers it only if the token was issued to this
// application (docs/threats.md CDL1, CDL2). When that was cannot be known: a
// token of X never expires.
func (p *Twitter) LoginWithTokens(ctx context.Context, tokens ClientTokens) (*Login, error) {
	if tokens.AccessToken.IsZero() || tokens.AccessTokenSecret.IsZero() {
		return nil, p.refused("verify", Incomplete, errors.New("access token and secret are both needed"))
	}
	if err := errors.Join(checkClientToken(tokens.AccessToken), checkClientToken(tokens.AccessTokenSecret)); err != nil {
		return nil, p.refused("verify", Invalid, errors.New("the token is malformed"))
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	login, failure := p.login(ctx, &Tokens{
		AccessToken: tokens.AccessToken, AccessTokenSecret: tokens.AccessTokenSecret, SentAt: time.Now(),
	})
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "verify")
	}
	login.AuthTime = unproved
	return login, nil
}

// login asks whose token it is.
func (p *Twitter) login(ctx context.Context, tokens *Tokens) (*Login, *Error) {
	identity, failure := p.identify(ctx, tokens)
	if failure != nil {
		return nil, failure
	}
	return &Login{Provider: p.cfg.Name, Identity: identity, Tokens: *tokens, AuthTime: tokens.SentAt}, nil
}

// refused is an error of this provider.
func (p *Twitter) refused(op string, kind Kind, cause error) *Error {
	return &Error{Provider: p.cfg.Name, Op: op, Kind: kind, Err: cause}
}
