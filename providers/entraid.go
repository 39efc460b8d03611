package providers

import (
	"regexp"
	"strings"
	"time"
)

const (
	// consumersTenant is the tenant of all personal Microsoft accounts.
	consumersTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

	entraLogin = "login.microsoftonline.com"
	entraV1    = "sts.windows.net" // the host of issuers of version 1.0
)

// EntraID is Microsoft Entra ID, named "aad", for users of the given tenants:
// directory IDs, not domain names. One tenant is an issuer of its own; several
// are signed in through the common endpoint, and nobody else is (docs/threats.md
// JWT8). NewOIDC refuses a list that is empty or names "common" or
// "organizations": whoever has any directory at all could sign in.
//
// Every use of a refresh token brings a new one for 90 days and leaves the old
// one valid (learn.microsoft.com/entra/identity-platform/refresh-tokens).
//
// Clients sign in with an access token for the application, whose audience is its
// client ID or api:// and the client ID, and which is of version 1.0 or 2.0 as
// the registration says, whatever version signs users in. The token may be ten
// minutes old, because Entra ID dates its tokens five minutes back; a client that
// keeps one for its whole hour has to ask for a new one, or MaxAge is to be set.
func EntraID(clientID string, clientSecret Secret, tenants ...string) OIDCConfig {
	if len(tenants) == 1 && tenantPattern.MatchString(tenants[0]) {
		return entraOf(clientID, clientSecret).issuedBy(entraLogin, tenants[0], "/v2.0")
	}
	cfg := entraOf(clientID, clientSecret).issuedBy(entraLogin, tenantPlaceholder, "/v2.0")
	cfg.Tenants = tenants
	return cfg
}

// EntraIDIssuer is EntraID by an issuer as an App Service auth.json has it
// (openIdIssuer): https://login.microsoftonline.com/<tenant>/v2.0, or of version
// 1.0, https://sts.windows.net/<tenant>/ or the first without /v2.0. The hosts of
// the national clouds are known too. The tenants are those that may sign in, and
// are required where the issuer is of all of them (common, organizations).
//
// Anything else, such as an address of Azure AD B2C with a policy in it or one that
// names the tenant by a domain, is where the discovery document lies below, which
// then tells the issuer.
func EntraIDIssuer(issuer, clientID string, clientSecret Secret, tenants ...string) OIDCConfig {
	cfg := entraOf(clientID, clientSecret)
	switch parts := entraIssuer.FindStringSubmatch(issuer); {
	case parts != nil:
		cfg = cfg.issuedBy(parts[1], parts[2], parts[3])
	case checkIssuer(issuer) != nil:
		cfg.Issuer = issuer // NewOIDC says what is wrong with it
	default:
		cfg.DiscoveryURL = strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	}
	cfg.Tenants = tenants
	return cfg
}

// MicrosoftAccount is Entra ID for personal Microsoft accounts only, named
// "microsoftaccount". Applications of Microsoft's older account service find the
// ID token as the authentication token they know.
func MicrosoftAccount(clientID string, clientSecret Secret) OIDCConfig {
	cfg := EntraID(clientID, clientSecret, consumersTenant)
	cfg.Name = "microsoftaccount"
	cfg.ClientLogin.Tokens = []ClientToken{ClientAuthenticationToken, ClientAccessToken, ClientIDToken}
	cfg.Quirks.AuthenticationToken = true
	cfg.Quirks.PrincipalClaim = ""
	return cfg
}

// entraIssuer takes apart the issuers of Entra ID: host, tenant and version.
var entraIssuer = regexp.MustCompile(`^https://(login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|sts\.chinacloudapi\.cn)` +
	`/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|common|organizations|consumers|\{tenantid\})(/v2\.0)?/?$`)

func entraOf(clientID string, clientSecret Secret) OIDCConfig {
	return OIDCConfig{
		Name:             "aad",
		ClientID:         clientID,
		ClientSecret:     clientSecret,
		AllowedAudiences: []string{"api://" + clientID},
		Scopes:           offlineScopes(),
		ClientLogin:      ClientLoginPolicy{Tokens: []ClientToken{ClientAccessToken, ClientIDToken}, MaxAge: 10 * time.Minute},
		Refresh:          RefreshPolicy{Class: Reusable, Lifetime: 90 * day, Sliding: true},
		Quirks:           Quirks{OfflineWithoutConsent: true, PrincipalClaim: "oid"},
	}
}

// issuedBy sets the issuer, and the one of the other version as its alias: the
// registration decides which of them an access token has, and both mean the same
// directory and the same user.
func (c OIDCConfig) issuedBy(host, tenant, version string) OIDCConfig {
	login, sts := host, entraV1
	switch {
	case strings.HasSuffix(host, ".cn"):
		login, sts = "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"
	case host == entraV1:
		login = entraLogin
	}
	below := tenant // what the discovery document lies below
	switch tenant {
	case "consumers":
		tenant, below = consumersTenant, consumersTenant
	case "common", "organizations", tenantPlaceholder:
		tenant, below = tenantPlaceholder, "common"
	}
	v1, v2 := "https://"+sts+"/"+tenant+"/", "https://"+login+"/"+tenant+"/v2.0"
	c.Issuer, c.Quirks.IssuerAliases = v2, []string{v1}
	if version == "" {
		c.Issuer, c.Quirks.IssuerAliases = v1, []string{v2}
	}
	if version == "" || tenant == tenantPlaceholder {
		c.DiscoveryURL = "https://" + login + "/" + below + version + "/.well-known/openid-configuration"
	}
	return c
}
