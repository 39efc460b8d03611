package appservice

// IdentityProviders is who may vouch for users. A provider is nil where the file
// says nothing about it.
type IdentityProviders struct {
	AzureActiveDirectory   *AzureActiveDirectory
	Google                 *AudiencedOAuth
	Facebook               *Facebook
	GitHub                 *OAuth
	Twitter                *Twitter
	Apple                  *OAuth
	LegacyMicrosoftAccount *AudiencedOAuth
	OpenIDConnect          []OpenIDConnect // in the order of the file
}

func (p *IdentityProviders) members() []member {
	return []member{
		present("azureActiveDirectory", &p.AzureActiveDirectory).not("aad").not("microsoft"),
		present("google", &p.Google),
		present("facebook", &p.Facebook),
		present("gitHub", &p.GitHub),
		present("twitter", &p.Twitter).not("x"),
		present("apple", &p.Apple),
		present("legacyMicrosoftAccount", &p.LegacyMicrosoftAccount),
		holding("azureStaticWebApps", fields{
			ignored("enabled", boolean),
			refused("registration", "there is no Static Web App in front that could vouch for users: only the platform links one, remove it"),
		}),
		openIDConnect("customOpenIdConnectProviders", &p.OpenIDConnect).or("openIdConnectProviders"),
	}
}

// Offer is whether a provider is switched on. The zero value is: registering one
// is enough.
type Offer struct{ Enabled *bool }

func (o *Offer) member() member { return maybe("enabled", &o.Enabled) }

func (o *Offer) off() bool { return o.Enabled != nil && !*o.Enabled }
