package easyauth

import (
	"regexp"
	"strings"

	"github.com/goeasyauth/easyauth/internal/appservice"
	"github.com/goeasyauth/easyauth/providers"
)

// secret returns the value of the app setting that the file names at path.
func (a *appService) secret(path, name string) providers.Secret {
	if name == "" { // missing, and told where it must not be
		return providers.Secret{}
	}
	value := a.setting(name)
	switch {
	case value == "":
		a.Add(path, "%s is not set: set it to the secret", called(name))
	case strings.HasPrefix(value, "@Microsoft.KeyVault("):
		a.Add(path, "%s refers to a key vault, which only the platform looks up: set it to the secret itself", called(name))
	}
	return providers.NewSecret(value)
}

// key returns the key of a setting of the platform; none: it is not set.
func (a *appService) key(name string) []providers.Secret {
	value := a.setting(name)
	if value == "" {
		return nil
	}
	key := providers.NewSecret(value)
	if _, err := decodeKey(key); err != nil {
		a.Add(appservice.Setting(name), "%v", err)
	}
	return []providers.Secret{key}
}

func (a *appService) baseURL() string {
	host := a.setting("WEBSITE_HOSTNAME")
	if host == "" {
		return ""
	}
	base := "https://" + host
	if _, err := parseBaseURL(base); err != nil {
		a.Add(appservice.Setting("WEBSITE_HOSTNAME"), "is not the name of a host: write app.example")
	}
	return base
}

var (
	tenantPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

	// settingPattern is what names of settings look like, and secrets do not: words
	// in capitals, or one of the words that people name secrets by.
	settingPattern = regexp.MustCompile(`^([A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Za-z0-9_.:-]*(?i:secret|password|token|setting|provider|auth|client|credential)[A-Za-z0-9_.:-]*)$`)
)

// allowedTenants are the directories whose users may sign in.
func (a *appService) allowedTenants() []string {
	const name = "WEBSITE_AUTH_AAD_ALLOWED_TENANTS"
	value := a.setting(name)
	var tenants []string
	for field := range strings.SplitSeq(value, ",") {
		switch tenant := strings.ToLower(strings.TrimSpace(field)); {
		case tenant == "":
		case !tenantPattern.MatchString(tenant):
			a.Add(appservice.Setting(name), "holds something that is no tenant ID: write GUIDs with commas between them")
			return nil
		default:
			tenants = append(tenants, tenant)
		}
	}
	return tenants
}

// called names a setting in a message, unless what stands there may be the secret
// itself.
func called(name string) string {
	if len(name) <= 64 && settingPattern.MatchString(name) {
		return "the app setting " + name
	}
	return "the app setting that is named here"
}
