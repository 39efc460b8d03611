package providers

import (
	"context"
	"errors"
	"mime"
	"net/http"
)

// UserInfo reads the userinfo endpoint (OpenID Connect Core 5.3); a provider
// without one returns no claims and no error. The token travels in the header.
// A signed answer (application/jwt) is refused as Invalid: it would have to be
// asked for at registration.
func (p *OIDC) UserInfo(ctx context.Context, accessToken Secret, subject string) (Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	meta, failure := p.metadata(ctx, "userinfo")
	if failure != nil {
		return Claims{}, failure
	}
	if meta.userInfoURL == "" {
		return Claims{}, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, meta.userInfoURL, nil)
	if err != nil {
		return Claims{}, p.refused("userinfo", Misconfigured, errors.New("the endpoint's address is unusable"))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+accessToken.Reveal())
	ans, err := p.wire.do(req)
	if err != nil {
		return Claims{}, classifyCall(err).in(p.cfg.Name, "userinfo")
	}
	if ans.status != http.StatusOK {
		return Claims{}, classifyAnswer(ans, nil).in(p.cfg.Name, "userinfo")
	}
	return p.readUserInfo(ans, subject)
}

// readUserInfo refuses an answer about somebody else (Core 5.3.2; docs/threats.md
// JWT10): an access token that was swapped on the way would otherwise lend its
// owner's name to this user.
func (p *OIDC) readUserInfo(ans answer, subject string) (Claims, error) {
	if media, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type")); media == "application/jwt" {
		return Claims{}, p.refused("userinfo", Invalid, errors.New("signed userinfo is not supported"))
	}
	claims, err := ParseClaims(ans.body)
	if err != nil {
		return Claims{}, p.refused("userinfo", Invalid, errors.New("the answer is not a JSON object"))
	}
	switch sub := claims.String("sub"); sub {
	case subject:
		return claims, nil
	case "":
		return Claims{}, p.refused("userinfo", Invalid, errors.New("sub is missing"))
	}
	return Claims{}, p.refused("userinfo", Mismatch, errors.New("sub is not that of the ID token"))
}
