package providers

import (
	"context"
	"net/url"
)

// GitHub signs people in with GitHub, through an OAuth app or a GitHub App,
// which speak OAuth 2 with PKCE and tell who the user is by the REST API. It is
// safe for concurrent use.
//
// The tokens of an OAuth app never expire, and nothing renews them: refreshing
// such a login answers that it has no refresh token. A GitHub App may have
// user tokens that expire in 8 hours, with a refresh token of six months that
// changes at every use; GitHub's answer shows which it is
// (docs.github.com, "Refreshing user access tokens").
//
// There is no sign-in with a token that a client brings: GitHub has no way to
// say for which application a token of a client was meant (contract 1.4).
type GitHub struct {
	cfg   GitHubConfig
	grant codeGrant
}

var (
	_ Provider      = (*GitHub)(nil)
	_ Refresher     = (*GitHub)(nil)
	_ Registered    = (*GitHub)(nil)
	_ AccessRevoker = (*GitHub)(nil)
)

// NewGitHub returns the provider that cfg describes. It never dials. The error
// joins every mistake in cfg, each with its remedy.
func NewGitHub(cfg GitHubConfig) (*GitHub, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &GitHub{cfg, codeGrant{
		provider:     cfg.Name,
		clientID:     cfg.ClientID,
		clientSecret: cfg.ClientSecret,
		scopes:       cfg.Scopes,
		params:       cfg.AuthParams,
		authorizeURL: cfg.Server + "/login/oauth/authorize",
		tokenURL:     cfg.Server + "/login/oauth/access_token",
		longest:      maxExpiresIn,
		classify:     classifyGitHub,
		wire:         newWire(cfg.HTTPClient),
	}}, nil
}

// Name returns the provider's alias.
func (p *GitHub) Name() string { return p.cfg.Name }

// Registration is the server and the client id.
func (p *GitHub) Registration() string { return p.cfg.Server + " " + p.cfg.ClientID }

// Begin returns the URL of the authorization request, with PKCE S256 and the
// state of f. A caller's parameter with an empty value leaves the configured
// one out; the caller's parameters must not repeat, and are limited to 4 KiB.
func (p *GitHub) Begin(_ context.Context, f *Flow, params url.Values) (string, error) {
	return p.grant.begin(f, params)
}

// Complete turns the authorization response into a login: state, age and
// provider of the attempt and the error parameter are checked, then the code is
// spent, once, and GitHub is asked whose token it gave.
func (p *GitHub) Complete(ctx context.Context, f Flow, response url.Values) (*Login, error) {
	tokens, failure := p.grant.exchange(ctx, f, response)
	if failure != nil {
		return nil, failure
	}
	spaced(tokens)
	identity, failure := p.identify(ctx, tokens)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "userinfo")
	}
	return &Login{Provider: p.cfg.Name, Identity: identity, Tokens: *tokens, AuthTime: tokens.SentAt}, nil
}
