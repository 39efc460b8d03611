package providers

import "slices"

// AsksForRefresh reports whether a sign-in asks for a refresh token: by the
// scope offline_access (OpenID Connect Core 11), as Hydra spells it offline, or
// as Google does by access_type. Without one some providers give none, and a
// session then ends at its expiry. It never dials.
func (p *OIDC) AsksForRefresh() bool {
	return slices.Contains(p.cfg.Scopes, "offline_access") || slices.Contains(p.cfg.Scopes, "offline") ||
		p.cfg.AuthParams.Get("access_type") == "offline"
}
