package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
)

// AccessRevoker is the ability to revoke one access token, for a provider that
// cannot revoke a refresh token.
type AccessRevoker interface {
	// RevokeAccess asks the provider to revoke the token, and nothing beside it.
	// A token that the provider does not know is revoked already. The error is
	// an *Error.
	RevokeAccess(ctx context.Context, accessToken Secret) error
}

// RevokeAccess revokes this one access token. GitHub can also delete the user's
// whole authorization of the application, which would sign them out everywhere
// and ask for their consent again: that is not what signing out means.
func (p *GitHub) RevokeAccess(ctx context.Context, accessToken Secret) error {
	if accessToken.IsZero() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]string{"access_token": accessToken.Reveal()})
	if err != nil {
		return p.grant.refused("revoke", Invalid, errors.New("the token is malformed"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete,
		p.cfg.API+"/applications/"+url.PathEscape(p.cfg.ClientID)+"/token", bytes.NewReader(body))
	if err != nil {
		return p.grant.refused("revoke", Misconfigured, errUnusable)
	}
	req.SetBasicAuth(p.cfg.ClientID, p.cfg.ClientSecret.Reveal())
	req.Header.Set("Accept", "application/vnd.github+json")
	ans, err := p.grant.wire.do(req)
	switch {
	case err != nil:
		return classifyCall(err).in(p.cfg.Name, "revoke")
	case ans.status == http.StatusNotFound, ans.status >= 200 && ans.status < 300:
		return nil
	case ans.status == http.StatusUnauthorized:
		return &Error{Provider: p.cfg.Name, Op: "revoke", Kind: Misconfigured, Status: ans.status}
	}
	return classifyAPI(ans).in(p.cfg.Name, "revoke")
}
