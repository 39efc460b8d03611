package middleware

import "strconv"

// Action is what becomes of a request that nobody has signed in for
// (unauthenticatedClientAction of App Service).
type Action uint8

const (
	// AllowAnonymous lets it pass; single routes are guarded by Require and its
	// siblings. The zero value.
	AllowAnonymous Action = iota
	// RedirectToLogin sends a person who opens a page to the login, and answers
	// programs, scripts and gRPC with 401.
	RedirectToLogin
	// Return401 answers 401, with a link to the login where a person reads it.
	Return401
	// Return403 answers 403.
	Return403
	// Return404 answers as if there were nothing.
	Return404
)

// String returns the name as App Service spells it.
func (a Action) String() string {
	names := [...]string{"AllowAnonymous", "RedirectToLoginPage", "Return401", "Return403", "Return404"}
	if int(a) < len(names) {
		return names[a]
	}
	return "Action" + strconv.Itoa(int(a))
}
