package appservice

// AzureActiveDirectory is Microsoft Entra ID.
type AzureActiveDirectory struct {
	Offer
	Registration           *EntraRegistration
	LoginParameters        []Parameter
	DisableWWWAuthenticate *bool
	Validation             EntraValidation
}

// EntraRegistration is this application in its directory.
type EntraRegistration struct{ OpenIDIssuer, ClientID, ClientSecretSettingName string }

// EntraValidation is whom tokens may be about and for.
type EntraValidation struct {
	AllowedAudiences []string

	// Of jwtClaimChecks: claims that a token must have.
	AllowedGroups             []string
	AllowedClientApplications []string

	// Of defaultAuthorizationPolicy: who may come in.
	PrincipalGroups     []string
	PrincipalIdentities []string
	AllowedApplications []string
}

// Parameter is one more parameter of the authorization request.
type Parameter struct {
	Name, Value string
	Path        string // where it stands in the file
}

// Offered reports whether users may sign in with Entra ID.
func (a *AzureActiveDirectory) Offered() bool { return a != nil && a.Registration != nil && !a.off() }

func (a *AzureActiveDirectory) members() []member {
	v := &a.Validation
	return []member{
		a.member(),
		present("registration", &a.Registration),
		holding("login", fields{
			parameters("loginParameters", &a.LoginParameters),
			maybe("disableWWWAuthenticate", &a.DisableWWWAuthenticate).or("disableWwwAuthenticate"),
		}),
		holding("validation", fields{
			words("allowedAudiences", &v.AllowedAudiences),
			holding("jwtClaimChecks", fields{
				words("allowedGroups", &v.AllowedGroups),
				words("allowedClientApplications", &v.AllowedClientApplications),
			}),
			holding("defaultAuthorizationPolicy", fields{
				holding("allowedPrincipals", fields{
					words("groups", &v.PrincipalGroups),
					words("identities", &v.PrincipalIdentities),
				}),
				words("allowedApplications", &v.AllowedApplications),
			}),
		}),
		ignored("isAutoProvisioned", boolean),
	}
}

func (r *EntraRegistration) members() []member {
	const certificate = "names a certificate in the certificate store of the App Service machine, which no other machine has: " +
		"remove it and name the setting of a client secret in clientSecretSettingName"
	return []member{
		word("openIdIssuer", &r.OpenIDIssuer),
		word("clientId", &r.ClientID),
		word("clientSecretSettingName", &r.ClientSecretSettingName),
		refused("clientSecretCertificateThumbprint", certificate),
		refused("clientSecretCertificateSubjectAlternativeName", certificate),
		refused("clientSecretCertificateIssuer", certificate),
	}
}

func (r *EntraRegistration) check(at string, mistakes *Mistakes) {
	need(at, "openIdIssuer", r.OpenIDIssuer, mistakes)
	need(at, "clientId", r.ClientID, mistakes)
}
