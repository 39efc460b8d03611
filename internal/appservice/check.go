package appservice

import "strings"

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
