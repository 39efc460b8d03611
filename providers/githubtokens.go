package providers

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// githubFinal are GitHub's own names of invalid_grant.
var githubFinal = []string{"bad_refresh_token", "bad_verification_code"}

// classifyGitHub says what a refusal of the token endpoint means. GitHub sends
// its errors with status 200, so that only the code in the body counts.
func classifyGitHub(ans answer) *Error { return classifyAnswer(ans, githubFinal) }

// RefreshPolicy says how GitHub treats refresh tokens: each works once, for six
// months, and takes the access token that came with it along when it is used.
func (p *GitHub) RefreshPolicy() RefreshPolicy {
	return RefreshPolicy{Class: Strict, Lifetime: 183 * day, Sliding: true}
}

// Refresh presents the refresh token, once. GitHub has neither resources nor
// scopes to choose from at a refresh: such a request is refused as
// Misconfigured, and not sent. Without a deadline in ctx the call ends after 10
// seconds. What the kinds of its errors mean is said at [OIDC.Refresh].
func (p *GitHub) Refresh(ctx context.Context, req RefreshRequest) (*Tokens, error) {
	switch {
	case req.RefreshToken.IsZero():
		return nil, p.grant.refused("refresh", NotSent, errors.New("there is no refresh token"))
	case req.Resource != "" || len(req.Scopes) > 0:
		return nil, p.grant.refused("refresh", Misconfigured, errors.New("GitHub has tokens for one audience only"))
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	tokens, failure := p.grant.token(ctx, "refresh", url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {req.RefreshToken.Reveal()},
	})
	if failure != nil {
		return nil, failure
	}
	spaced(tokens)
	return tokens, nil
}

// spaced writes the granted scopes as everybody else does: GitHub separates
// them with commas.
func spaced(tokens *Tokens) { tokens.Scope = strings.ReplaceAll(tokens.Scope, ",", " ") }
