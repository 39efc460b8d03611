package providers

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/oauth2"
)

// AppleConfig is an application's registration at Apple.
type AppleConfig struct {
	// ClientID is the Services ID, or the bundle ID of an application.
	ClientID string

	// TeamID, KeyID and PrivateKey, the text of the .p8 file, make the client
	// secret, a new one twice a day.
	TeamID, KeyID string
	PrivateKey    Secret

	// ClientSecret takes the place of the three where somebody else makes the
	// secret. It ends after six months at the latest, and every sign-in with it.
	ClientSecret Secret
}

// Apple is Sign in with Apple, named "apple". The answer comes by a form post, as
// Apple demands where a name or an address is asked for; the name is told once,
// at the first consent, and nobody signs it.
//
// Apple's refresh tokens are not taken, so that /.auth/refresh answers 400 as on
// App Service; Apple lets them be used about once a day, to find out whether the
// account is still there. Set NoRefresh to false to take them.
func Apple(cfg AppleConfig) OIDCConfig {
	c := OIDCConfig{
		Name:         "apple",
		Issuer:       "https://appleid.apple.com",
		ClientID:     cfg.ClientID,
		ClientSecret: cfg.ClientSecret,
		Scopes:       []string{"openid", "name", "email"},
		FormPost:     true,
		AuthStyle:    oauth2.AuthStyleInParams,
		ClientLogin:  ClientLoginPolicy{Tokens: []ClientToken{ClientIDToken}},
		NoRefresh:    true,
		Quirks:       Quirks{NameInResponse: true, AlwaysAsks: true},
	}
	if !cfg.PrivateKey.IsZero() {
		c.ClientSecretSource = newAppleSecret(cfg).current
	}
	return c
}

const (
	maxNameField = 4 << 10 // of the parameter user; anybody can post one
	maxNamePart  = 100     // characters of a first or last name
)

// nameIn reads the name out of the parameter user. It is what the browser says,
// and nothing that anybody may be told apart by: the address beside it is not
// looked at, the ID token has the real one.
func nameIn(field string) Claims {
	if len(field) > maxNameField {
		return Claims{}
	}
	user, _ := ParseClaims([]byte(field))
	name, err := ParseClaims(user.Raw("name"))
	if err != nil {
		return Claims{}
	}
	given, family := namePart(name.String("firstName")), namePart(name.String("lastName"))
	var c Claims
	for _, m := range [...]struct{ name, value string }{
		{"given_name", given}, {"family_name", family}, {"name", strings.TrimSpace(given + " " + family)},
	} {
		if m.value != "" {
			text, _ := json.Marshal(m.value) // a string always encodes
			c.members = append(c.members, claim{m.name, text})
		}
	}
	return c
}

// namePart is s where it can be part of a name. An address cannot: applications
// tell users apart by what X-MS-CLIENT-PRINCIPAL-NAME says, if that looks like one
// (docs/threats.md JWT17).
func namePart(s string) string {
	s = strings.TrimSpace(s)
	foreign := func(r rune) bool { return !unicode.IsPrint(r) || r == '@' || r == '＠' || r == '﹫' }
	if utf8.RuneCountInString(s) > maxNamePart || strings.ContainsFunc(s, foreign) {
		return ""
	}
	return s
}
