package providers

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// OIDC is an OpenID Connect provider: authorization code flow with PKCE, state
// and nonce, ID tokens verified against the provider's published keys, refresh,
// userinfo, revocation and logout. It is safe for concurrent use.
type OIDC struct {
	cfg       OIDCConfig
	rule      atomic.Pointer[issuers] // nil: the discovery document has not been read, and is to tell
	wire      wire
	discovery fetched[*metadata]
	keys      keySet
}

var (
	_ Provider       = (*OIDC)(nil)
	_ Refresher      = (*OIDC)(nil)
	_ Registered     = (*OIDC)(nil)
	_ Verifier       = (*OIDC)(nil)
	_ UserInfoReader = (*OIDC)(nil)
	_ Revoker        = (*OIDC)(nil)
	_ SessionEnder   = (*OIDC)(nil)
	_ LogoutVerifier = (*OIDC)(nil)
	_ ClientLogin    = (*OIDC)(nil)
	_ BearerVerifier = (*OIDC)(nil)
	_ SilentLogin    = (*OIDC)(nil)
	_ Named          = (*OIDC)(nil)
)

// NewOIDC returns the provider that cfg describes. It never dials: the
// discovery document is read when the provider is first needed, so an
// application starts while its provider is down. The error joins every mistake
// in cfg, each with its remedy.
func NewOIDC(cfg OIDCConfig) (*OIDC, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Scopes, cfg.Algorithms = cfg.scopes(), cfg.algorithms()
	cfg.AuthParams = copyValues(cfg.AuthParams)
	cfg.AllowedAudiences, cfg.Access, cfg.ClientLogin = slices.Clone(cfg.AllowedAudiences), cfg.Access.clone(), cfg.ClientLogin.clone()
	cfg.Quirks.FinalRefreshErrors = slices.Clone(cfg.Quirks.FinalRefreshErrors)
	cfg.Quirks.IssuerAliases, cfg.Tenants = slices.Clone(cfg.Quirks.IssuerAliases), slices.Clone(cfg.Tenants)
	p := &OIDC{cfg: cfg, wire: newWire(cfg.HTTPClient)}
	if cfg.Issuer != "" {
		p.rule.Store(cfg.issuersOf(cfg.Issuer))
	}
	p.keys.issuers = p.issuers
	p.discovery.fetch = p.discover
	p.keys.published.fetch = p.fetchKeys
	return p, nil
}

// Name returns the provider's alias.
func (p *OIDC) Name() string { return p.cfg.Name }

// RefreshPolicy says how this provider treats refresh tokens.
func (p *OIDC) RefreshPolicy() RefreshPolicy { return p.cfg.Refresh }

// NameClaim is the claim that a user's name is taken from; empty: by what there is.
func (p *OIDC) NameClaim() string { return p.cfg.NameClaim }

// Registration is the issuer, or where its document is, and the client id.
func (p *OIDC) Registration() string {
	return cmp.Or(p.cfg.Issuer, p.cfg.DiscoveryURL) + " " + p.cfg.ClientID
}

// Ready reports whether somebody can sign in: nil once the discovery document
// has been read and found right. It reads it where that has not been done, but
// never more often than the back-off allows. The error is an *Error: Unready,
// with the time to wait, or Misconfigured where the document itself is at fault.
func (p *OIDC) Ready(ctx context.Context) error {
	if _, failure := p.metadata(ctx, "discover"); failure != nil {
		return failure
	}
	return nil
}

// discoveryURL is the address of the provider's metadata (OpenID Connect
// Discovery 4.1).
func (p *OIDC) discoveryURL() string {
	if p.cfg.DiscoveryURL != "" {
		return p.cfg.DiscoveryURL
	}
	return strings.TrimSuffix(p.cfg.Issuer, "/") + "/.well-known/openid-configuration"
}

// home is where the provider is, as far as that is configured: the issuer, or the
// address of its document. validate has parsed both before.
func (p *OIDC) home() *url.URL {
	u, err := url.Parse(cmp.Or(p.cfg.Issuer, p.cfg.DiscoveryURL))
	if err != nil {
		return new(url.URL)
	}
	return u
}

// issuers are those who may sign. Where the discovery document is to tell, it has
// been read before anybody asks (verify, Complete).
func (p *OIDC) issuers() issuers { return *p.rule.Load() }

// issuersOf is the rule for this issuer.
func (c OIDCConfig) issuersOf(issuer string) *issuers {
	return &issuers{template: issuer, aliases: c.Quirks.IssuerAliases, tenants: c.Tenants}
}

// refused is an error of this provider.
func (p *OIDC) refused(op string, kind Kind, cause error) *Error {
	return &Error{Provider: p.cfg.Name, Op: op, Kind: kind, Err: cause}
}

func copyValues(v url.Values) url.Values {
	c := make(url.Values, len(v))
	for name, values := range v {
		c[name] = slices.Clone(values)
	}
	return c
}
