package providers

import (
	"errors"
	"fmt"
	"maps"
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
	var errs []error
	mistake := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("providers: %s: %s: "+format, append([]any{c.label(), field}, args...)...))
	}
	if !namePattern.MatchString(c.Name) {
		mistake("Name", "must match %s: it becomes the path segment of the login URL", namePattern)
	}
	c.validateIssuer(mistake)
	if c.ClientID == "" {
		mistake("ClientID", "is empty: register the application at the provider and copy its client ID")
	}
	c.validateSecret(mistake)
	for _, s := range c.Scopes {
		if !scopePattern.MatchString(s) {
			mistake("Scopes", "%q is not one scope: give each scope as an element of its own", s)
		}
	}
	c.validateAuthParams(mistake)
	c.validateTenants(mistake)
	c.validateAlgorithms(mistake)
	c.validateRefresh(mistake)
	c.validateEndpoints(mistake)
	c.validateClients(mistake)
	if c.ResponseType > InsecureIDTokenOnly {
		mistake("ResponseType", "%d is not known: leave it zero, or use CodeWithIDToken or InsecureIDTokenOnly", c.ResponseType)
	}
	switch c.AuthStyle {
	case oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams:
	default:
		mistake("AuthStyle", "%d is not known: leave it zero, or use oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams", c.AuthStyle)
	}
	return errors.Join(errs...)
}

func (c OIDCConfig) validateIssuer(mistake func(field, format string, args ...any)) {
	document, noDocument := url.Parse(c.DiscoveryURL)
	told := c.Issuer == "" && c.DiscoveryURL != "" && c.Endpoints == (Endpoints{})
	issuer := document
	if !told {
		if err := checkIssuer(c.Issuer); err != nil {
			mistake("Issuer", "%w: copy it from the provider's discovery document", err)
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
		mistake("DiscoveryURL", "%w: give the https address of the discovery document", err)
	}
}

func (c OIDCConfig) validateSecret(mistake func(field, format string, args ...any)) {
	switch {
	case c.ClientSecretSource != nil && !c.ClientSecret.IsZero():
		mistake("ClientSecretSource", "is set beside ClientSecret: keep one of them")
	case c.ClientSecretSource != nil:
		if _, err := c.ClientSecretSource(); err != nil {
			mistake("ClientSecretSource", "%w", err)
		}
	case c.ClientSecret.IsZero() && c.ResponseType == InsecureIDTokenOnly:
		if c.InsecurePasswordGrant || c.ClientLogin.AuthorizationCode {
			mistake("ClientSecret", "is empty, and passwords and codes are traded with it: copy the application's secret")
		}
	case c.ClientSecret.IsZero():
		mistake("ClientSecret", "is empty: register the application as a confidential (web) client and copy its secret")
	}
}

func (c OIDCConfig) validateEndpoints(mistake func(field, format string, args ...any)) {
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
			mistake("Endpoints."+e.field, "%w: give the provider's https address, or leave all of Endpoints empty to have them discovered", err)
		}
	}
}

func (c OIDCConfig) validateClients(mistake func(field, format string, args ...any)) {
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
			mistake(list.field, "has an empty element, which a token without the claim would fit: remove it")
		}
	}
	for _, t := range c.ClientLogin.Tokens {
		if t > ClientAuthenticationToken {
			mistake("ClientLogin.Tokens", "%d is not known: use ClientIDToken, ClientAccessToken or ClientAuthenticationToken", t)
		}
	}
	if c.ClientLogin.MaxAge < 0 {
		mistake("ClientLogin.MaxAge", "is negative: use zero for 5 minutes")
	}
}

func (c OIDCConfig) validateAuthParams(mistake func(field, format string, args ...any)) {
	for _, name := range slices.Sorted(maps.Keys(c.AuthParams)) {
		switch {
		case name == "scope":
			mistake("AuthParams", "scope has a field of its own: use Scopes")
		case ownedParam(name):
			mistake("AuthParams", "%q is set anew by every login attempt: remove it", name)
		case !paramPattern.MatchString(name):
			mistake("AuthParams", "%q is not a parameter name: use letters, digits, '_', '-', '.', ':'", name)
		case len(c.AuthParams[name]) != 1 && name != "resource":
			mistake("AuthParams", "%q needs exactly one value: parameters must not repeat (RFC 6749 section 3.1)", name)
		}
	}
	if v := c.AuthParams.Get("max_age"); v != "" {
		if _, err := strconv.ParseUint(v, 10, 31); err != nil {
			mistake("AuthParams", "max_age is not a number of seconds: give digits only")
		}
	}
}

func (c OIDCConfig) validateTenants(mistake func(field, format string, args ...any)) {
	if strings.Contains(c.Issuer, tenantPlaceholder) && len(c.Tenants) == 0 {
		mistake("Tenants", "is empty though Issuer stands for every tenant: list the tenant IDs whose users may sign in")
	}
	for _, t := range c.Tenants {
		if !tenantPattern.MatchString(t) {
			mistake("Tenants", "%q is not a tenant ID: use the directory's ID (a GUID in lower case), not its domain and not common or organizations", t)
		}
	}
}

func (c OIDCConfig) validateAlgorithms(mistake func(field, format string, args ...any)) {
	for _, alg := range c.Algorithms {
		a, known := algorithms[alg]
		switch {
		case !known:
			mistake("Algorithms", "%q cannot be verified: use names such as RS256 or ES256", alg)
		case a.keyType == symmetric && c.ClientSecretSource != nil:
			mistake("Algorithms", "%s needs a client secret that stays the same: have the provider sign with RS256", alg)
		case a.keyType == symmetric && !c.ClientSecret.IsZero() && len(c.ClientSecret.Reveal()) < a.hash.Size():
			mistake("Algorithms", "%s needs a client secret of at least %d bytes (RFC 7518 section 3.2): have the provider sign with RS256", alg, a.hash.Size())
		}
	}
}

func (c OIDCConfig) validateRefresh(mistake func(field, format string, args ...any)) {
	switch r := c.Refresh; {
	case r.Class > Reusable:
		mistake("Refresh.Class", "%d is not known: leave it zero, or use Strict, Graced or Reusable", r.Class)
	case r.Class == Graced && r.Window <= 0:
		mistake("Refresh.Window", "is not set though Class is Graced: say for how long a used token may be replayed, or use Strict")
	case r.Class != Graced && r.Window != 0:
		mistake("Refresh.Window", "is set though Class is not Graced: remove it, or use Graced")
	case r.Lifetime < 0:
		mistake("Refresh.Lifetime", "is negative: use zero for unknown")
	}
}

// label names the provider in messages even where its name is the mistake.
func (c OIDCConfig) label() string {
	if c.Name == "" {
		return "unnamed provider"
	}
	return fmt.Sprintf("%q", c.Name)
}
