package providers

import (
	"context"
	"net/url"
)

// maxLogoutURL bounds the address of a logout request: servers commonly refuse
// request lines above 8 KiB, and an ID token with many groups can be longer.
const maxLogoutURL = 7 << 10

// EndSessionURL returns the logout request (OpenID Connect RP-Initiated Logout
// 1.0 section 2). It always names the client, so that the provider knows who
// asks where the ID token is gone, or is left out because it is too long.
func (p *OIDC) EndSessionURL(ctx context.Context, req EndSessionRequest) string {
	meta, failure := p.metadata(ctx, "logout")
	if failure != nil || meta.endSessionURL == "" {
		return ""
	}
	u, err := url.Parse(meta.endSessionURL)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	if req.PostLogoutRedirectURI != "" {
		q.Set("post_logout_redirect_uri", req.PostLogoutRedirectURI)
	}
	if req.State != "" {
		q.Set("state", req.State)
	}
	if !req.IDTokenHint.IsZero() {
		q.Set("id_token_hint", req.IDTokenHint.Reveal())
	}
	if u.RawQuery = q.Encode(); len(u.String()) > maxLogoutURL {
		q.Del("id_token_hint")
		u.RawQuery = q.Encode()
	}
	return u.String()
}
