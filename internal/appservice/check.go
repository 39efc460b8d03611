package appservice

import (
	"regexp"
	"slices"
	"strings"
)

// The names of the providers in URLs and headers (contract 1).
const (
	AAD              = "aad"
	Google           = "google"
	FacebookName     = "facebook"
	GitHub           = "github"
	TwitterName      = "twitter"
	Apple            = "apple"
	MicrosoftAccount = "microsoftaccount"
)

// check finds what is wrong with members that are right each for itself.
func (s *Settings) check(mistakes *Mistakes) {
	if on := s.Platform.Enabled; on != nil && !*on {
		mistakes.Follow(s.At("platform.enabled"), "is false, and without it nothing would guard the application: set it to true, or do not load the file")
	}
	s.GlobalValidation.check(s, mistakes)
	s.HTTPSettings.check(s, mistakes)
	s.Login.check(s, mistakes)
	s.checkRegistrations(mistakes)
	s.checkKeys(mistakes)
	s.resolveProvider(mistakes)
}

// checkRegistrations asks for what a provider that is offered cannot do without.
func (s *Settings) checkRegistrations(mistakes *Mistakes) {
	p := &s.IdentityProviders
	at := func(name string) string { return s.At("identityProviders." + name + ".registration") }
	if a := p.AzureActiveDirectory; a.Offered() {
		a.Registration.check(at("azureActiveDirectory"), mistakes)
	}
	if g := p.Google; g.Offered() {
		g.Registration.check(at("google"), mistakes)
	}
	if f := p.Facebook; f.Offered() {
		f.Registration.check(at("facebook"), mistakes)
	}
	if g := p.GitHub; g.Offered() {
		g.Registration.check(at("gitHub"), mistakes)
	}
	if t := p.Twitter; t.Offered() {
		t.Registration.check(at("twitter"), mistakes)
	}
	if a := p.Apple; a.Offered() {
		a.Registration.check(at("apple"), mistakes)
	}
	if m := p.LegacyMicrosoftAccount; m.Offered() {
		m.Registration.check(at("legacyMicrosoftAccount"), mistakes)
	}
	for _, o := range p.OpenIDConnect {
		if o.Offered() {
			o.Registration.check(o.Path+".registration", mistakes)
		}
	}
}

// need tells of a member that is missing.
func need(path, name, value string, mistakes *Mistakes) {
	if value == "" {
		remedy := "register the application at the provider, or remove the registration"
		if strings.HasSuffix(name, "SettingName") {
			remedy = "name the app setting that holds the secret"
		}
		mistakes.Missing(Member(path, name), "is missing: %s", remedy)
	}
}

var aliasPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,31}$`)

// checkKeys is the rule for the names of providers: each becomes a part of its
// URL, where it is in lower case.
func (s *Settings) checkKeys(mistakes *Mistakes) {
	taken := []string{AAD, Google, FacebookName, GitHub, TwitterName, "x", Apple, MicrosoftAccount}
	for _, o := range s.IdentityProviders.OpenIDConnect {
		switch alias := o.Alias(); {
		case !aliasPattern.MatchString(alias):
			mistakes.Follow(o.Path, "is no name for a provider: use 1 to 32 letters, digits and _, beginning with a letter or digit")
		case alias == "done" || alias == "iframereceiver":
			mistakes.Follow(o.Path, "is the name of a page of the login itself: use another one")
		case slices.Contains(taken, alias):
			mistakes.Follow(o.Path, "is a name that another provider has, whatever its case: use another one")
		default:
			taken = append(taken, alias)
		}
	}
}

// Alias is the provider's name in URLs and headers: its key in lower case.
func (o *OpenIDConnect) Alias() string { return strings.ToLower(o.Key) }

// resolveProvider turns redirectToProvider into an alias. Exports spell it in any
// case, and by the member's name as well as by the alias (contract 4). Without
// it the only provider there is counts, and where there are more the user
// chooses.
func (s *Settings) resolveProvider(mistakes *Mistakes) {
	offered := s.offered()
	g := &s.GlobalValidation
	wanted := strings.ToLower(g.RedirectToProvider)
	switch wanted {
	case "azureactivedirectory":
		wanted = AAD
	case "legacymicrosoftaccount":
		wanted = MicrosoftAccount
	case "x":
		wanted = TwitterName
	}
	switch {
	case wanted == "" && len(offered) == 1:
		g.RedirectToProvider = offered[0]
	case wanted == "" || slices.Contains(offered, wanted):
		g.RedirectToProvider = wanted
	case g.Unauthenticated != RedirectToLoginPage:
		g.RedirectToProvider = "" // left over from another action
	case mistakes.Below(s.At("identityProviders")): // it may be the one that is named
	case len(offered) == 0:
		mistakes.Follow(s.At("globalValidation.redirectToProvider"), "names a provider, but none is registered and enabled: see identityProviders")
	default:
		mistakes.Follow(s.At("globalValidation.redirectToProvider"), "names none of the providers that are registered and enabled: they are %s", strings.Join(offered, ", "))
	}
}

// offered returns the aliases of the providers with which users may sign in.
func (s *Settings) offered() (aliases []string) {
	p := &s.IdentityProviders
	for _, o := range []struct {
		alias   string
		offered bool
	}{
		{AAD, p.AzureActiveDirectory.Offered()}, {Google, p.Google.Offered()}, {FacebookName, p.Facebook.Offered()},
		{GitHub, p.GitHub.Offered()}, {TwitterName, p.Twitter.Offered()}, {Apple, p.Apple.Offered()},
		{MicrosoftAccount, p.LegacyMicrosoftAccount.Offered()},
	} {
		if o.offered {
			aliases = append(aliases, o.alias)
		}
	}
	for _, o := range p.OpenIDConnect {
		if o.Offered() {
			aliases = append(aliases, o.Alias())
		}
	}
	return aliases
}
