package appservice

import (
	"regexp"
	"slices"
	"strings"
)

// The names of the providers in URLs and headers (contract 1).
const (
	AliasAAD              = "aad"
	AliasGoogle           = "google"
	AliasFacebook         = "facebook"
	AliasGitHub           = "github"
	AliasTwitter          = "twitter"
	AliasApple            = "apple"
	AliasMicrosoftAccount = "microsoftaccount"
)

var aliasPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,31}$`)

// checkKeys is the rule for the names of providers: each becomes a part of its
// URL, where it is in lower case.
func (s *Settings) checkKeys(mistakes *Mistakes) {
	taken := []string{AliasAAD, AliasGoogle, AliasFacebook, AliasGitHub, AliasTwitter, "x", AliasApple, AliasMicrosoftAccount}
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
		wanted = AliasAAD
	case "legacymicrosoftaccount":
		wanted = AliasMicrosoftAccount
	case "x":
		wanted = AliasTwitter
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
		{AliasAAD, p.AzureActiveDirectory.Offered()}, {AliasGoogle, p.Google.Offered()}, {AliasFacebook, p.Facebook.Offered()},
		{AliasGitHub, p.GitHub.Offered()}, {AliasTwitter, p.Twitter.Offered()}, {AliasApple, p.Apple.Offered()},
		{AliasMicrosoftAccount, p.LegacyMicrosoftAccount.Offered()},
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
