package providers

import "net/url"

// SilentParams ask for a sign-in without any page (OpenID Connect Core 3.1.2.1).
// There are none where the provider cannot do that.
func (p *OIDC) SilentParams() url.Values {
	if p.cfg.Quirks.AlwaysAsks {
		return nil
	}
	return url.Values{"prompt": {"none"}}
}
