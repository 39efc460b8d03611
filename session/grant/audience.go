package grant

import (
	"slices"
	"strings"
)

// Audience names what an access token is for. The zero Audience is the one of
// the login itself.
type Audience struct {
	resource string
	scopes   string // sorted, space-separated
}

// Resource is the audience of one resource server (RFC 8707).
func Resource(uri string) Audience { return Audience{resource: uri} }

// Scopes is the audience of a scope set, for providers that choose the resource
// by scope, as Entra ID does. Order does not matter.
func Scopes(scopes ...string) Audience {
	sorted := slices.Clone(scopes)
	slices.Sort(sorted)
	return Audience{scopes: strings.Join(slices.Compact(sorted), " ")}
}

// key names the audience in a record. The separator occurs in neither part.
func (a Audience) key() string {
	if a == (Audience{}) {
		return ""
	}
	return a.resource + "\n" + a.scopes
}

// list is the scope set as a request carries it; nil leaves it out.
func (a Audience) list() []string {
	if a.scopes == "" {
		return nil
	}
	return strings.Fields(a.scopes)
}
