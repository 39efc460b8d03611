package principal

import (
	"cmp"
	"slices"

	"github.com/goeasyauth/easyauth/providers"
)

// maxID is the most bytes of an object id; Entra's have 36.
const maxID = 255

// User is what a Principal is made from.
type User struct {
	Provider string // alias
	ID       string // subject
	Name     string // for people; may be empty
	Claims   providers.Claims

	// NameClaim is the claim that the provider is configured to take the name
	// from, by its own name or its type; empty: by what there is.
	NameClaim string
}

// Principal is a user as App Service describes one. It encodes as the JSON of
// X-MS-CLIENT-PRINCIPAL, in the member order of the contract, with
// respond.Marshal.
type Principal struct {
	AuthTyp string  `json:"auth_typ"`
	Claims  []Claim `json:"claims"` // never nil; what /.auth/me lists as user_claims too
	NameTyp string  `json:"name_typ"`
	RoleTyp string  `json:"role_typ"`

	id string
}

// New describes u. The claims hold exactly one of type NameTyp, because readers
// take the one and refuse none or two: the first of several stays, and where
// there is none the user's name, or else the subject, is added as the last claim.
//
// NameTyp is the type of NameClaim where that is set. Otherwise it is what App
// Service calls a user of the provider by, as far as the user has it: the e-mail
// address or the user principal name for aad, the e-mail address for google, the
// screen name for twitter; and the name for everybody else.
func New(u User) Principal {
	p := Principal{AuthTyp: u.Provider, Claims: flatten(u.Claims), NameTyp: typName, RoleTyp: typRole, id: u.ID}
	if oid := u.Claims.String("oid"); u.Provider == "aad" && oid != "" && len(oid) <= maxID {
		p.id = oid
	}
	p.NameTyp = p.nameTyp(u.NameClaim)
	named := false
	p.Claims = slices.DeleteFunc(p.Claims, func(c Claim) bool {
		if c.Typ != p.NameTyp {
			return false
		}
		surplus := named || c.Val == ""
		named = named || c.Val != ""
		return surplus
	})
	if !named {
		p.Claims = append(p.Claims, Claim{p.NameTyp, cmp.Or(u.Name, u.ID)})
	}
	return p
}

// Name is the value of the claim of type NameTyp: X-MS-CLIENT-PRINCIPAL-NAME,
// and user_id in /.auth/me.
func (p Principal) Name() string { return p.first(p.NameTyp) }

// ID is what the provider identifies the user by: the object id for aad, the
// subject for everybody else. It is X-MS-CLIENT-PRINCIPAL-ID.
//
// Only aad is trusted with an object id: elsewhere a claim of that name may be
// whatever its user typed into a profile (docs/threats.md JWT17).
func (p Principal) ID() string { return p.id }

// nameTyp is the type of the claim that names the user.
func (p Principal) nameTyp(configured string) string {
	if configured != "" {
		return longType(configured)
	}
	for _, typ := range nameTypes[p.AuthTyp] {
		if p.first(typ) != "" {
			return typ
		}
	}
	return typName
}

// nameTypes are, for each provider, the types that App Service takes a name from,
// the best first (contract 1.7, user_id).
var nameTypes = map[string][]string{
	"aad":     {typEmail, typName, typUPN, "preferred_username"},
	"google":  {typEmail},
	"twitter": {typUPN},
}

// first returns the first non-empty value of a type.
func (p Principal) first(typ string) string {
	for _, c := range p.Claims {
		if c.Typ == typ && c.Val != "" {
			return c.Val
		}
	}
	return ""
}
