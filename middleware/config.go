package middleware

import (
	"errors"
	"log/slog"
	"net/url"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/session"
)

// Config is what a Guard needs to know.
type Config struct {
	// Sessions loads and renews the sessions. Required.
	Sessions *session.Manager

	// BaseURL is the application's address as browsers see it, without a path.
	// What a challenge says is made from it and never from the request
	// (docs/threats.md HST1, HST2). Required.
	BaseURL *url.URL

	// Prefix is where the routes of easyauth are. Default: /.auth.
	Prefix string

	// IdentityHeaders adds the headers X-MS-CLIENT-PRINCIPAL, -ID, -NAME and -IDP
	// to requests of signed-in users, as App Service does. It is for code that
	// reads them already and for backends behind a reverse proxy; a Go handler
	// asks session.FromContext. Default: off.
	IdentityHeaders bool

	// TokenHeaders adds the headers X-MS-TOKEN-<PROVIDER>-ACCESS-TOKEN,
	// -EXPIRES-ON, -ID-TOKEN and -REFRESH-TOKEN, as far as there are such tokens.
	// Whatever reads the request's headers then reads the user's tokens.
	// Default: off.
	TokenHeaders bool

	// LazyTokens leaves access tokens to the first handler that asks for one.
	// Default: one that is due is renewed before the handler runs, or behind it
	// where it is still good.
	LazyTokens bool

	// Logger gets what an operator has to know. Default: silent.
	Logger *slog.Logger
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

// check returns the matcher of the prefix, or every mistake in c.
func (c Config) check() (*authpath.Matcher, error) {
	paths, err := authpath.New(c.Prefix)
	errs := []error{err}
	if c.Sessions == nil {
		errs = append(errs, errors.New("middleware: Sessions is missing: give the session manager"))
	}
	if c.BaseURL == nil || c.BaseURL.Host == "" {
		errs = append(errs, errors.New("middleware: BaseURL is missing: give the application's public address, such as https://app.example"))
	}
	return paths, errors.Join(errs...)
}
