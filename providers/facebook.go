package providers

import (
	"context"
	"net/url"
	"time"
)

// facebookIssuer is the issuer of every identity of Facebook, wherever the
// configuration has it answer from.
const facebookIssuer = "https://www.facebook.com"

// maxFacebookToken bounds the life of an access token; Facebook's live 60 days.
const maxFacebookToken = 90 * day

// Facebook signs people in with Facebook Login, which speaks OAuth 2 and tells
// who the user is by the Graph API. It is safe for concurrent use.
//
// The token of a sign-in lives an hour or two. It is exchanged at once for one
// that lives 60 days; where that fails the short one is kept, and the sign-in
// goes on. A token that a client brings stays as it is. There are no refresh tokens, and nothing to revoke but the user's
// whole consent, so Facebook is neither a [Refresher] nor a [Revoker].
//
// Every call of the Graph API carries the proof that it comes from who knows
// the app secret (appsecret_proof), and the tokens that clients bring are
// accepted only if Facebook says that they are this application's.
type Facebook struct {
	cfg   FacebookConfig
	graph string // versioned root of the Graph API
	grant codeGrant
}

var (
	_ Provider    = (*Facebook)(nil)
	_ ClientLogin = (*Facebook)(nil)
	_ Registered  = (*Facebook)(nil)
)

// NewFacebook returns the provider that cfg describes. It never dials. The
// error joins every mistake in cfg, each with its remedy.
func NewFacebook(cfg FacebookConfig) (*Facebook, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	graph := cfg.Graph + "/" + cfg.GraphVersion
	return &Facebook{cfg, graph, codeGrant{
		provider:     cfg.Name,
		clientID:     cfg.AppID,
		clientSecret: cfg.AppSecret,
		scopes:       cfg.Scopes,
		params:       cfg.AuthParams,
		authorizeURL: cfg.Dialog + "/" + cfg.GraphVersion + "/dialog/oauth",
		tokenURL:     graph + "/oauth/access_token",
		longest:      maxFacebookToken,
		classify:     classifyGraph,
		wire:         newWire(cfg.HTTPClient),
	}}, nil
}

// Name returns the provider's alias.
func (p *Facebook) Name() string { return p.cfg.Name }

// Registration is the issuer and the app id.
func (p *Facebook) Registration() string { return facebookIssuer + " " + p.cfg.AppID }

// Begin returns the URL of the authorization request, with PKCE S256 and the
// state of f. A caller's parameter with an empty value leaves the configured
// one out; the caller's parameters must not repeat, and are limited to 4 KiB.
func (p *Facebook) Begin(_ context.Context, f *Flow, params url.Values) (string, error) {
	return p.grant.begin(f, params)
}

// Complete turns the authorization response into a login: state, age and
// provider of the attempt and the error parameter are checked, then the code is
// spent, once, and Facebook is asked whose token it gave.
func (p *Facebook) Complete(ctx context.Context, f Flow, response url.Values) (*Login, error) {
	tokens, failure := p.grant.exchange(ctx, f, response)
	if failure != nil {
		return nil, failure
	}
	return p.login(ctx, p.lengthen(ctx, tokens), tokens.SentAt)
}

// login asks whose token it is. There are no refresh tokens at Facebook.
func (p *Facebook) login(ctx context.Context, tokens *Tokens, authTime time.Time) (*Login, error) {
	tokens.RefreshToken, tokens.RefreshExpiresIn = Secret{}, 0
	identity, failure := p.identify(ctx, tokens.AccessToken)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "userinfo")
	}
	return &Login{Provider: p.cfg.Name, Identity: identity, Tokens: *tokens, AuthTime: authTime}, nil
}

// lengthen exchanges the token for one that lives 60 days, or returns it as it
// is where Facebook does not give one: nobody is kept out for that.
func (p *Facebook) lengthen(ctx context.Context, short *Tokens) *Tokens {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	long, failure := p.grant.token(ctx, "exchange", url.Values{
		"grant_type":        {"fb_exchange_token"},
		"fb_exchange_token": {short.AccessToken.Reveal()},
	})
	if failure != nil {
		return short
	}
	long.Scope = short.Scope
	return long
}
