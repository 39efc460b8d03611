package appservice

// OpenIDConnect is one provider of customOpenIdConnectProviders.
type OpenIDConnect struct {
	Key  string // as the file spells it
	Path string // where it stands in the file
	Offer
	Registration        *OpenIDConnectRegistration
	NameClaimType       string
	Scopes              []string
	LoginParameterNames []Parameter // names and values, in spite of the member's name
}

// OpenIDConnectRegistration is this application at the provider.
type OpenIDConnectRegistration struct {
	ClientID                string
	ClientSecretSettingName string
	Configuration           OpenIDConnectConfiguration
}

// OpenIDConnectConfiguration is where the provider is: WellKnown, and if it is
// empty the others.
type OpenIDConnectConfiguration struct {
	WellKnown             string
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	CertificationURI      string
}

// Offered reports whether users may sign in with the provider.
func (o *OpenIDConnect) Offered() bool { return o.Registration != nil && !o.off() }

// openIDConnect is an object whose members are providers, each under its key.
func openIDConnect(name string, field *[]OpenIDConnect) member {
	read := func(r *reader, path string, n node) {
		if !r.is(path, n, object) {
			return
		}
		for _, e := range n.members {
			o := OpenIDConnect{Key: e.name, Path: Member(path, e.name)}
			if e.value.kind != null {
				r.object(o.Path, e.value, o.members())
			}
			*field = append(*field, o)
		}
	}
	return member{names: []string{name}, read: read, below: func() []member { return fields{holding("<name>", new(OpenIDConnect))} }}
}

func (o *OpenIDConnect) members() []member {
	return []member{
		o.member(),
		present("registration", &o.Registration),
		holding("login", fields{
			word("nameClaimType", &o.NameClaimType),
			scopes(&o.Scopes),
			parameters("loginParameterNames", &o.LoginParameterNames),
		}),
	}
}

func (r *OpenIDConnectRegistration) members() []member {
	method := ""
	c := &r.Configuration
	return []member{
		word("clientId", &r.ClientID),
		holding("clientCredential", fields{
			choice("method", &method, "ClientSecretPost"),
			word("clientSecretSettingName", &r.ClientSecretSettingName),
		}),
		holding("openIdConnectConfiguration", fields{
			word("wellKnownOpenIdConfiguration", &c.WellKnown),
			word("issuer", &c.Issuer),
			word("authorizationEndpoint", &c.AuthorizationEndpoint),
			word("tokenEndpoint", &c.TokenEndpoint),
			word("certificationUri", &c.CertificationURI),
		}),
	}
}

func (r *OpenIDConnectRegistration) check(at string, mistakes *Mistakes) {
	need(at, "clientId", r.ClientID, mistakes)
	c := r.Configuration
	if c.WellKnown != "" {
		return // the document says the rest
	}
	at = Member(at, "openIdConnectConfiguration")
	if c == (OpenIDConnectConfiguration{}) {
		mistakes.Missing(at, "is missing: give wellKnownOpenIdConfiguration, or issuer and the endpoints")
		return
	}
	for _, m := range []struct{ name, value string }{
		{"issuer", c.Issuer}, {"authorizationEndpoint", c.AuthorizationEndpoint},
		{"tokenEndpoint", c.TokenEndpoint}, {"certificationUri", c.CertificationURI},
	} {
		if m.value == "" {
			mistakes.Missing(Member(at, m.name), "is missing: give it, or wellKnownOpenIdConfiguration instead of all four")
		}
	}
}
