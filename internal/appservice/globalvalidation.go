package appservice

import "strings"

// Action is what a request gets that nobody signed (contract 1.11).
type Action string

// The values of unauthenticatedClientAction. The reference says Return404 for
// what a simulator of the platform calls RejectWith404 (contract 8).
const (
	RedirectToLoginPage Action = "RedirectToLoginPage"
	AllowAnonymous      Action = "AllowAnonymous"
	Return401           Action = "Return401"
	Return403           Action = "Return403"
	Return404           Action = "Return404"
	rejectWith404       Action = "RejectWith404"
)

// GlobalValidation is who may pass.
type GlobalValidation struct {
	RequireAuthentication *bool
	Unauthenticated       Action // resolved: never empty after Parse
	RedirectToProvider    string // as it is written
	ExcludedPaths         []string
}

func (g *GlobalValidation) members() []member {
	return []member{
		maybe("requireAuthentication", &g.RequireAuthentication),
		choice("unauthenticatedClientAction", &g.Unauthenticated,
			RedirectToLoginPage, AllowAnonymous, Return401, Return403, Return404, rejectWith404),
		word("redirectToProvider", &g.RedirectToProvider),
		words("excludedPaths", &g.ExcludedPaths),
	}
}

// check resolves the action. Where requireAuthentication is not there, as in the
// file form, the action alone decides, and its default asks everybody to sign in:
// what nobody decided must not be open.
func (g *GlobalValidation) check(s *Settings, mistakes *Mistakes) {
	required := g.RequireAuthentication
	switch {
	case required != nil && *required && g.Unauthenticated == AllowAnonymous:
		mistakes.Follow(s.At("globalValidation.unauthenticatedClientAction"),
			"is AllowAnonymous though requireAuthentication is true: change one of them")
	case required != nil && !*required:
		g.Unauthenticated = AllowAnonymous
	case g.Unauthenticated == "":
		g.Unauthenticated = RedirectToLoginPage
	case g.Unauthenticated == rejectWith404:
		g.Unauthenticated = Return404
	}
	for i, p := range g.ExcludedPaths {
		at := Item(s.At("globalValidation.excludedPaths"), i)
		switch path, wild := strings.CutSuffix(p, "/*"); {
		case wild && path == "":
			mistakes.Follow(at, "excludes everything: set unauthenticatedClientAction to AllowAnonymous instead")
		case path != "/" && !plainPath(strings.TrimSuffix(path, "/")):
			mistakes.Follow(at, `is not a path: write "/path", or "/path/*" for everything below it, without dots and escapes`)
		}
	}
}
