package providers

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// tenantPlaceholder stands for the tenant in the issuer of a provider where
// every tenant is an issuer of its own, as Entra ID publishes it.
const tenantPlaceholder = "{tenantid}"

// issuers is the rule about who may sign: one issuer, or one for each tenant.
type issuers struct {
	template string
	aliases  []string
	tenants  []string
}

// canonical returns the identity's issuer for a token's iss and tid, or an error
// where they are not acceptable (docs/threats.md JWT7, JWT8).
func (s issuers) canonical(c Claims) (string, error) {
	iss, tid := c.String("iss"), c.String("tid")
	if len(s.tenants) > 0 && !slices.Contains(s.tenants, tid) {
		return "", errors.New("tid is not an allowed tenant")
	}
	if !s.spells(iss, tid) {
		return "", errors.New("iss is not the provider's issuer")
	}
	return ofTenant(s.template, tid), nil
}

// spells reports whether iss is one of the spellings of the tenant's issuer.
func (s issuers) spells(iss, tid string) bool {
	return iss == ofTenant(s.template, tid) ||
		slices.ContainsFunc(s.aliases, func(alias string) bool { return iss == ofTenant(alias, tid) })
}

// ofTenant is the issuer that a template makes for a tenant.
func ofTenant(template, tid string) string {
	return strings.Replace(template, tenantPlaceholder, tid, 1)
}

// responds reports whether iss may stand in an authorization response (RFC 9207
// section 2.4).
func (s issuers) responds(iss string) bool {
	if !s.perTenant() {
		return iss == s.template
	}
	return slices.ContainsFunc(s.tenants, func(tid string) bool {
		return iss == ofTenant(s.template, tid)
	})
}

func (s issuers) perTenant() bool { return strings.Contains(s.template, tenantPlaceholder) }

// checkIssuer is the rule for a configured issuer (OpenID Connect Discovery 3).
func checkIssuer(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New("is empty")
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("is not an absolute URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return errors.New("has a user, query or fragment part")
	case strings.Count(raw, tenantPlaceholder) > 1:
		return errors.New("has more than one " + tenantPlaceholder)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("is http on a host that is not loopback")
	}
	return errors.New("is not an https URL")
}

// checkEndpoint is the rule for an address that a provider, trusted or not,
// wants us or the browser to go to (docs/threats.md IDP2): https, or http between
// loopback hosts in development; a name rather than an address, unless the
// issuer itself is that address.
func checkEndpoint(raw string, issuer *url.URL) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return errors.New("is not an absolute URL")
	}
	development := issuer.Scheme == "http" && loopback(issuer.Hostname()) && loopback(u.Hostname())
	switch {
	case u.User != nil || strings.Contains(raw, "#"):
		return errors.New("has a user or fragment part")
	case u.Scheme != "https" && (u.Scheme != "http" || !development):
		return errors.New("is not an https URL")
	case numeric(u.Hostname()) && !development && u.Hostname() != issuer.Hostname():
		return errors.New("has an IP address for its host")
	}
	return nil
}

// loopback reports whether the host can only be this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// numeric reports whether a resolver may take the host for an IP address: every
// notation of one ends in a number, 0x7f.1 and 2130706433 included.
func numeric(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	_, err := strconv.ParseUint(labels[len(labels)-1], 0, 64)
	return err == nil
}
