package middleware

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// Gate is one rule for the whole application, as App Service has it, instead of
// a guard around each route. The routes of easyauth are never behind it.
type Gate struct {
	// Unauthenticated is what a stranger gets.
	Unauthenticated Action

	// Provider is where strangers are sent to sign in. Empty: they choose on a
	// page, or go straight on where there is only one.
	Provider string

	// ExcludedPaths are open to strangers: a path, or one that ends in "/*" for
	// everything below it. Who is signed in is known there too, and their
	// requests are judged as everywhere else. Only the plain spelling of a path
	// is excluded: whatever could be read in two ways is not (docs/threats.md PTH3).
	ExcludedPaths []string

	// RequireHTTPS sends whoever asks by http to the same address by https; what
	// is not a GET or HEAD is refused. Behind a proxy that ends TLS it needs
	// Config.ForwardProxy, as every request seems to be http without it.
	RequireHTTPS bool

	// CanonicalHost sends a person who opens a page under another host name to the
	// one of BaseURL, where cookies are.
	CanonicalHost bool

	// HideChallenge leaves WWW-Authenticate out of every answer.
	HideChallenge bool
}

// check returns the excluded paths, or every mistake in the gate.
func (gate *Gate) check(c Config) (excluded, error) {
	paths, err := newExcluded(gate.ExcludedPaths)
	errs := []error{err}
	if gate.Unauthenticated > Return404 {
		errs = append(errs, fmt.Errorf("middleware: Gate.Unauthenticated: %s is none: use one of the constants", gate.Unauthenticated))
	}
	if gate.Provider != "" && c.Sessions != nil {
		if _, ok := c.Sessions.Provider(gate.Provider); !ok {
			errs = append(errs, fmt.Errorf("middleware: Gate.Provider: there is no provider %q: give the name of one, or none", gate.Provider))
		}
	}
	if gate.RequireHTTPS && c.BaseURL != nil && c.BaseURL.Scheme != "https" {
		errs = append(errs, errors.New("middleware: Gate.RequireHTTPS: BaseURL is http: there is nowhere to send people to"))
	}
	return paths, errors.Join(errs...)
}

// closed reports whether the gate keeps a stranger from the path, and answers
// if so.
func (g *Guard) closed(w http.ResponseWriter, r *http.Request) bool {
	if g.gate.Unauthenticated == AllowAnonymous || g.excluded.has(r.URL) {
		return false
	}
	if g.share(w, r) {
		return true
	}
	if session.Err(r.Context()) != nil || g.gate.Unauthenticated == RedirectToLogin || errors.Is(g.seen(r.Context()), session.ErrForbidden) {
		g.refuseStranger(w, r)
		return true
	}
	switch l := g.stranger(r.Context()); g.gate.Unauthenticated {
	case Return401:
		respond.Fail(w, r, respond.SignInRequired, respond.Options{Challenge: g.bearer(l), Login: l.at(g.loginURL, nil)})
	case Return403:
		respond.Fail(w, r, respond.StrangersForbidden, respond.Options{})
	default:
		respond.Fail(w, r, respond.NotFound, respond.Options{})
	}
	return true
}
