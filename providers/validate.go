package providers

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,31}$`)
	scopePattern  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3
	tenantPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// validate reports every mistake at once: field, what is wrong, what to do.
func (c OIDCConfig) validate() error {
	m := mistakesOf(c.Name)
	c.validateIssuer(m)
	if c.ClientID == "" {
		m.add("ClientID", "is empty: register the application at the provider and copy its client ID")
	}
	c.validateSecret(m)
	m.scopes(c.Scopes)
	m.params(c.AuthParams, "resource")
	c.validateMaxAge(m)
	c.validateTenants(m)
	c.validateAliases(m)
	c.validateAlgorithms(m)
	c.validateRefresh(m)
	c.validateEndpoints(m)
	c.validateClients(m)
	if c.ResponseType > InsecureIDTokenOnly {
		m.add("ResponseType", "%d is not known: leave it zero, or use CodeWithIDToken or InsecureIDTokenOnly", c.ResponseType)
	}
	switch c.AuthStyle {
	case oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams:
	default:
		m.add("AuthStyle", "%d is not known: leave it zero, or use oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams", c.AuthStyle)
	}
	return m.err()
}

func (c OIDCConfig) validateIssuer(m *mistakes) {
	document, noDocument := url.Parse(c.DiscoveryURL)
	told := c.Issuer == "" && c.DiscoveryURL != "" && c.Endpoints == (Endpoints{})
	issuer := document
	if !told {
		if err := checkIssuer(c.Issuer); err != nil {
			m.add("Issuer", "%w: copy it from the provider's discovery document", err)
			return
		}
		issuer, _ = url.Parse(c.Issuer)
	}
	if c.DiscoveryURL == "" {
		return
	}
	if noDocument != nil {
		issuer = new(url.URL)
	}
	if err := checkEndpoint(c.DiscoveryURL, issuer); err != nil {
		m.add("DiscoveryURL", "%w: give the https address of the discovery document", err)
	}
}

func (c OIDCConfig) validateSecret(m *mistakes) {
	switch {
	case c.ClientSecretSource != nil && !c.ClientSecret.IsZero():
		m.add("ClientSecretSource", "is set beside ClientSecret: keep one of them")
	case c.ClientSecretSource != nil:
		if _, err := c.ClientSecretSource(); err != nil {
			m.add("ClientSecretSource", "%w", err)
		}
	case c.ClientSecret.IsZero() && c.ResponseType == InsecureIDTokenOnly:
		if c.InsecurePasswordGrant || c.ClientLogin.AuthorizationCode {
			m.add("ClientSecret", "is empty, and passwords and codes are traded with it: copy the application's secret")
		}
	case c.ClientSecret.IsZero():
		m.add("ClientSecret", "is empty: register the application as a confidential (web) client and copy its secret")
	}
}

func (c OIDCConfig) validateEndpoints(m *mistakes) {
	if c.Endpoints == (Endpoints{}) {
		return
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return // a mistake already
	}
	for _, e := range []struct {
		field, address string
		needed         bool
	}{
		{"Authorization", c.Endpoints.Authorization, true},
		{"Token", c.Endpoints.Token, c.ResponseType != InsecureIDTokenOnly},
		{"Keys", c.Endpoints.Keys, true},
		{"UserInfo", c.Endpoints.UserInfo, false},
		{"Revocation", c.Endpoints.Revocation, false},
		{"EndSession", c.Endpoints.EndSession, false},
	} {
		if e.address == "" && !e.needed {
			continue
		}
		if err := checkEndpoint(e.address, issuer); err != nil {
			m.add("Endpoints."+e.field, "%w: give the provider's https address, or leave all of Endpoints empty to have them discovered", err)
		}
	}
}

func (c OIDCConfig) validateClients(m *mistakes) {
	for _, list := range []struct {
		field  string
		values []string
	}{
		{"AllowedAudiences", c.AllowedAudiences},
		{"Access.AllowedGroups", c.Access.AllowedGroups},
		{"Access.AllowedIdentities", c.Access.AllowedIdentities},
		{"Access.AllowedApplications", c.Access.AllowedApplications},
		{"Access.RequiredGroups", c.Access.RequiredGroups},
		{"Access.RequiredApplications", c.Access.RequiredApplications},
	} {
		if slices.Contains(list.values, "") {
			m.add(list.field, "has an empty element, which a token without the claim would fit: remove it")
		}
	}
	for _, t := range c.ClientLogin.Tokens {
		if t > ClientAuthenticationToken {
			m.add("ClientLogin.Tokens", "%d is not known: use ClientIDToken, ClientAccessToken or ClientAuthenticationToken", t)
		}
	}
	if c.ClientLogin.MaxAge < 0 {
		m.add("ClientLogin.MaxAge", "is negative: use zero for 5 minutes")
	}
}

func (c OIDCConfig) validateMaxAge(m *mistakes) {
	if v := c.AuthParams.Get("max_age"); v != "" {
		if _, err := strconv.ParseUint(v, 10, 31); err != nil {
			m.add("AuthParams", "max_age is not a number of seconds: give digits only")
		}
	}
}

func (c OIDCConfig) validateTenants(m *mistakes) {
	if strings.Contains(c.Issuer, tenantPlaceholder) && len(c.Tenants) == 0 {
		m.add("Tenants", "is empty though Issuer stands for every tenant: list the tenant IDs whose users may sign in")
	}
	for _, t := range c.Tenants {
		if !tenantPattern.MatchString(t) {
			m.add("Tenants", "%q is not a tenant ID: use the directory's ID (a GUID in lower case), not its domain and not common or organizations", t)
		}
	}
}

// validateAliases refuses spellings of Issuer that would be those of others, too.
func (c OIDCConfig) validateAliases(m *mistakes) {
	for _, alias := range c.Quirks.IssuerAliases {
		switch {
		case alias == "":
			m.add("Quirks.IssuerAliases", "has an empty element, which a token without iss would fit: remove it")
		case strings.Contains(alias, tenantPlaceholder) && !strings.Contains(c.Issuer, tenantPlaceholder):
			m.add("Quirks.IssuerAliases", "%q stands for every tenant though Issuer is one of them: put that one's ID in", alias)
		}
	}
}

func (c OIDCConfig) validateAlgorithms(m *mistakes) {
	for _, alg := range c.Algorithms {
		a, known := algorithms[alg]
		switch {
		case !known:
			m.add("Algorithms", "%q cannot be verified: use names such as RS256 or ES256", alg)
		case a.keyType == symmetric && c.ClientSecretSource != nil:
			m.add("Algorithms", "%s needs a client secret that stays the same: have the provider sign with RS256", alg)
		case a.keyType == symmetric && len(c.ClientSecret.Reveal()) < a.hash.Size():
			m.add("Algorithms", "%s needs a client secret of at least %d bytes (RFC 7518 section 3.2): have the provider sign with RS256", alg, a.hash.Size())
		}
	}
}

func (c OIDCConfig) validateRefresh(m *mistakes) {
	switch r := c.Refresh; {
	case r.Class > Reusable:
		m.add("Refresh.Class", "%d is not known: leave it zero, or use Strict, Graced or Reusable", r.Class)
	case r.Class == Graced && r.Window <= 0:
		m.add("Refresh.Window", "is not set though Class is Graced: say for how long a used token may be replayed, or use Strict")
	case r.Class != Graced && r.Window != 0:
		m.add("Refresh.Window", "is set though Class is not Graced: remove it, or use Graced")
	case r.Lifetime < 0:
		m.add("Refresh.Lifetime", "is negative: use zero for unknown")
	}
}
