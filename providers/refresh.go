package providers

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// Refresh presents the refresh token, once. The answer is not judged beyond
// being one: the ID token in it is for [OIDC.VerifyRefreshed], after the tokens
// have been stored. Without a deadline in ctx the call ends
// after 10 seconds.
//
// Kinds NotSent, Busy and Unready say that the token was certainly not
// consumed, Unknown and Gateway that it may have been, Revoked and Interaction
// that it is of no more use, Misconfigured that the client was rejected.
func (p *OIDC) Refresh(ctx context.Context, req RefreshRequest) (*Tokens, error) {
	if req.RefreshToken.IsZero() {
		return nil, p.refused("refresh", NotSent, errors.New("there is no refresh token"))
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	meta, failure := p.metadata(ctx, "refresh")
	if failure != nil {
		return nil, failure
	}
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {req.RefreshToken.Reveal()},
	}
	if req.Resource != "" {
		form.Set("resource", req.Resource) // RFC 8707 section 2.2
	}
	if len(req.Scopes) > 0 {
		form.Set("scope", strings.Join(req.Scopes, " "))
	}
	tokens, failure := p.tokenCall(ctx, meta, p.cfg.Quirks.FinalRefreshErrors, form)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, "refresh")
	}
	return tokens, nil
}
