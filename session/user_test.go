package session_test

import (
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// named is a provider that is configured to take the name from a claim.
type named struct {
	providers.Provider
	claim string
}

func (n named) Name() string      { return "op" }
func (n named) NameClaim() string { return n.claim }

func TestNameAndAddressOfAUser(t *testing.T) {
	const types = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	for _, row := range []struct{ title, claim, claims, name, email string }{
		{"what OpenID Connect says", "", `{"name":"Ada","preferred_username":"ada","email":"ada@example.org"}`, "Ada", "ada@example.org"},
		{"the configured claim", "nick", `{"name":"Ada","nick":"al"}`, "al", ""},
		{"the configured claim is not there", "nick", `{"name":"Ada"}`, "Ada", ""},
		{"long types, of GitHub and its like", "", `{"` + types + `name":"ada","` + types + `emailaddress":"ada@example.org"}`, "ada", "ada@example.org"},
		{"two addresses are none", "", `{"email":"ada@example.org@evil.example"}`, "1", ""},
		{"nothing", "", `{}`, "1", ""},
	} {
		t.Run(row.title, func(t *testing.T) {
			m, err := session.NewManager(session.Config{Store: memstore.New(), Providers: []providers.Provider{named{claim: row.claim}}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			claims, err := providers.ParseClaims([]byte(row.claims))
			if err != nil {
				t.Fatal(err)
			}
			u := m.Vouched("op", providers.Identity{Issuer: "https://op.example", Subject: "1", Claims: claims}, time.Now().Add(time.Hour)).User
			if u.Name != row.name || u.Email != row.email || u.NameClaim != row.claim {
				t.Errorf("name %q, address %q, name claim %q", u.Name, u.Email, u.NameClaim)
			}
		})
	}
}
