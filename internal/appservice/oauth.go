package appservice

// OAuth is what most providers have: a registration with a secret, and scopes.
type OAuth struct {
	Offer
	Registration *Registration
	Scopes       []string
}

// AudiencedOAuth is an OAuth whose ID tokens may be for further client IDs, of
// mobile applications for example.
type AudiencedOAuth struct {
	OAuth
	AllowedAudiences []string
}

// Registration is this application at a provider.
type Registration struct {
	ClientID          string
	SecretSettingName string
}

// Offered reports whether users may sign in with the provider: it is registered,
// and not switched off.
func (o *OAuth) Offered() bool { return o != nil && o.Registration != nil && !o.off() }

func (o *OAuth) members() []member {
	return []member{
		o.member(),
		present("registration", &o.Registration),
		holding("login", fields{scopes(&o.Scopes)}),
	}
}

// Offered is that of OAuth.
func (a *AudiencedOAuth) Offered() bool { return a != nil && a.OAuth.Offered() }

func (a *AudiencedOAuth) members() []member {
	return append(a.OAuth.members(), holding("validation", fields{words("allowedAudiences", &a.AllowedAudiences)}))
}

func (r *Registration) members() []member {
	return []member{
		word("clientId", &r.ClientID),
		word("clientSecretSettingName", &r.SecretSettingName),
	}
}

func (r *Registration) check(at string, mistakes *Mistakes) {
	need(at, "clientId", r.ClientID, mistakes)
	need(at, "clientSecretSettingName", r.SecretSettingName, mistakes)
}
