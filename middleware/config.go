package middleware

import (
	"errors"
	"log/slog"
	"net/http"
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
	// -ACCESS-TOKEN-SECRET, -EXPIRES-ON, -ID-TOKEN, -AUTHENTICATION-TOKEN and
	// -REFRESH-TOKEN, as far as there are such tokens.
	// Whatever reads the request's headers then reads the user's tokens.
	// Default: off.
	TokenHeaders bool

	// LazyTokens leaves access tokens to the first handler that asks for one.
	// Default: one that is due is renewed before the handler runs, or behind it
	// where it is still good.
	LazyTokens bool

	// Gate is the one rule for strangers in the whole application. Nil: there is
	// none, and single routes are guarded by Require and its siblings.
	Gate *Gate

	// ForwardProxy says which proxies tell how browsers reach the application.
	// Nil: none, browsers connect to it directly (NoProxy of App Service).
	ForwardProxy *ForwardProxy

	// TrustedOrigins are the origins, besides the application's own, whose pages
	// may send requests that change something with the session cookie.
	TrustedOrigins []string

	// LogoutEndpoint is a path of the application that signs out, as
	// /.auth/logout does, by Logout: the handler of the routes, which is asked for
	// that path. Both or neither.
	LogoutEndpoint string
	Logout         http.Handler

	// PreserveFragments keeps the part of an address after "#" over a sign-in. No
	// server ever sees it, so a person is sent to the login by a page with a
	// small script instead of a redirect.
	PreserveFragments bool

	// NoSilentReauth leaves it to the application to do something about refresh
	// tokens that are near their end. Default: whoever opens a page then is sent
	// to the provider and back, once in ten minutes, without being shown anything.
	NoSilentReauth bool

	// Logger gets what an operator has to know. Default: silent.
	Logger *slog.Logger
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

// gate is the one there is, or one that is open.
func (c Config) gate() *Gate {
	if c.Gate == nil {
		return new(Gate)
	}
	return c.Gate
}

// Validate reports every mistake in c that can be seen without Sessions.
func (c Config) Validate() error {
	_, err := c.check()
	_, more := c.gate().check(c)
	_, also := newProtection(c.TrustedOrigins)
	return errors.Join(err, more, also)
}

// check returns the matcher of the prefix, or the mistakes in what is not the
// gate's.
func (c Config) check() (*authpath.Matcher, error) {
	paths, err := authpath.New(c.Prefix)
	errs := []error{err}
	if c.BaseURL == nil || c.BaseURL.Host == "" {
		errs = append(errs, errors.New("middleware: BaseURL is missing: give the application's public address, such as https://app.example"))
	}
	if c.ForwardProxy != nil {
		errs = append(errs, c.ForwardProxy.check())
	}
	if (c.LogoutEndpoint == "") != (c.Logout == nil) || c.LogoutEndpoint != "" && !isPlainPath(c.LogoutEndpoint) {
		errs = append(errs, errors.New("middleware: LogoutEndpoint: refused: give a path such as /signout, and the handler Logout with it"))
	}
	return paths, errors.Join(errs...)
}
