package providers

import (
	"context"
	"net/url"
)

// Revoke asks the provider to revoke the refresh token, and with it the access
// tokens of the same grant where the provider does that (RFC 7009 section 2.1).
// A token the provider does not know is revoked already: it answers 200. The
// error is an *Error; after Busy, Gateway or Unknown the token may still be valid.
func (p *OIDC) Revoke(ctx context.Context, refreshToken Secret) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if refreshToken.IsZero() {
		return nil
	}
	meta, failure := p.metadata(ctx, "revoke")
	if failure != nil {
		return failure
	}
	if meta.revocationURL == "" {
		return nil
	}
	ans, failure := p.post(ctx, meta.revocationURL, meta.revocationAuth, url.Values{
		"token":           {refreshToken.Reveal()},
		"token_type_hint": {"refresh_token"},
	})
	if failure != nil {
		return failure.in(p.cfg.Name, "revoke")
	}
	if ans.status < 200 || ans.status > 299 {
		return classifyAnswer(ans, nil).in(p.cfg.Name, "revoke")
	}
	return nil
}
