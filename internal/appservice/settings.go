package appservice

import (
	"slices"
	"time"
)

// Settings is the tree of an auth.json. A member that is not there has its
// default; a pointer is nil where it counts that nothing was said.
type Settings struct {
	Platform          Platform
	GlobalValidation  GlobalValidation
	HTTPSettings      HTTPSettings
	Login             Login
	IdentityProviders IdentityProviders

	hideChallenge bool // by the setting of the first version

	base string // the path of the tree: empty, or "properties" in an export
}

// defaults are the settings of an empty file (contract 4).
func defaults() Settings {
	var s Settings
	s.HTTPSettings.RequireHTTPS = true
	s.HTTPSettings.Routes.APIPrefix = "/.auth"
	s.HTTPSettings.ForwardProxy.Convention = NoProxy
	s.Login.TokenStore.RefreshExtension = 72 * time.Hour
	s.Login.CookieExpiration.Convention = FixedTime
	s.Login.CookieExpiration.TimeToExpiration = 8 * time.Hour
	s.Login.Nonce.Validate = true
	s.Login.Nonce.ExpirationInterval = 5 * time.Minute
	return s
}

// Parse reads an auth.json. Setting returns the value of an app setting, "" where
// it is not set: those of the first version count where the file says nothing.
// The mistakes are never nil; where there are some, the settings are good for
// finding more of them and for nothing else.
func Parse(data []byte, setting func(name string) string) (*Settings, *Mistakes) {
	s, mistakes := defaults(), new(Mistakes)
	s.classic(setting, mistakes)
	root, ok := scan(data, mistakes)
	if !ok {
		return &s, mistakes
	}
	r := &reader{mistakes: mistakes, whole: s.members()}
	if isExport(root) {
		s.base, r.whole = "properties", export(&s)
	}
	r.object("", root, r.whole)
	s.check(mistakes)
	return &s, mistakes
}

// HidesChallenge reports whether WWW-Authenticate is left out of refusals: by the
// member of azureActiveDirectory, or by the setting of the first version.
func (s *Settings) HidesChallenge() bool {
	if a := s.IdentityProviders.AzureActiveDirectory; a != nil && a.DisableWWWAuthenticate != nil {
		return *a.DisableWWWAuthenticate
	}
	return s.hideChallenge
}

// At returns the path of a member as the file has it: below properties in the
// form of Azure Resource Manager.
func (s *Settings) At(path string) string {
	if s.base == "" {
		return path
	}
	return s.base + "." + path
}

func (s *Settings) members() []member {
	return []member{
		holding("platform", &s.Platform),
		holding("globalValidation", &s.GlobalValidation),
		holding("httpSettings", &s.HTTPSettings),
		holding("login", &s.Login),
		holding("identityProviders", &s.IdentityProviders),
		refused("encryptionSettings", "is of Container Apps, whose settings are others than App Service's: remove it, "+
			"and give the keys in the settings WEBSITE_AUTH_ENCRYPTION_KEY and WEBSITE_AUTH_SIGNING_KEY"),
		ignored("$schema", text), // for editors
	}
}

// isExport tells the form of Azure Resource Manager from that of a file: the tree
// is below properties, beside what describes the resource.
func isExport(root node) bool {
	return slices.ContainsFunc(root.members, func(e entry) bool { return e.name == "properties" })
}

// export lists what a resource has beside its properties, in templates and in
// what the command line tools print.
func export(s *Settings) []member {
	members := []member{holding("properties", s)}
	for _, name := range []string{"id", "name", "type", "kind", "location", "apiVersion", "resourceGroup"} {
		members = append(members, ignored(name, text))
	}
	return append(members, ignored("tags", object), ignored("systemData", object), ignored("dependsOn", list))
}
