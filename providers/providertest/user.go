package providertest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// User is a person who can sign in.
type User struct {
	Name     string         // what is typed into the login form
	Subject  string         // the sub claim; default: "sub-" followed by Name
	Claims   map[string]any // replace or add to those of NamedUser; a nil value removes one
	Password string         // for Config.PasswordGrant; default: Name
}

// NamedUser is the person whom the login form makes of a name that nobody
// configured: alice is "Alice", alice@example.com, preferred_username alice.
func NamedUser(name string) User { return User{Name: name}.complete() }

// complete fills in what a user has by name alone.
func (u User) complete() User {
	if u.Subject == "" {
		u.Subject = "sub-" + u.Name
	}
	u.Password = cmp.Or(u.Password, u.Name)
	claims := map[string]any{
		"name":               strings.ToUpper(u.Name[:min(1, len(u.Name))]) + u.Name[min(1, len(u.Name)):],
		"preferred_username": u.Name,
		"email":              u.Name + "@example.com",
		"email_verified":     true,
	}
	if strings.Contains(u.Name, "@") {
		claims["email"] = u.Name
	}
	maps.Copy(claims, u.Claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	u.Claims = claims
	return u
}

// introduced is what Config.NameOnce tells of a user.
func (u User) introduced() map[string]any {
	given, _ := u.Claims["given_name"].(string)
	family, _ := u.Claims["family_name"].(string)
	if name, _ := u.Claims["name"].(string); given == "" {
		given = name
	}
	return map[string]any{"name": map[string]string{"firstName": given, "lastName": family}, "email": u.Claims["email"]}
}

// released returns the claims that these scopes give out. A claim that no
// standard scope governs, such as groups, is given out always.
func (u User) released(scopes []string) map[string]any {
	claims := maps.Clone(u.Claims)
	for scope, governed := range map[string][]string{
		"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username",
			"profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"},
		"email":   {"email", "email_verified"},
		"address": {"address"},
		"phone":   {"phone_number", "phone_number_verified"},
	} {
		if !slices.Contains(scopes, scope) {
			for _, name := range governed {
				delete(claims, name)
			}
		}
	}
	return claims
}
