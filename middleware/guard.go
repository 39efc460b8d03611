package middleware

import (
	"log/slog"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/session"
)

// Guard is the middleware of one application. It is safe for concurrent use.
type Guard struct {
	sessions   *session.Manager
	paths      *authpath.Matcher
	loginPath  string // where a page is redirected to; relative, so that nothing in it comes from the request
	loginURL   string // the same for programs, which do not know what it is relative to
	realm      string
	identity   bool
	tokens     bool
	lazyTokens bool
	log        *slog.Logger
}

// New returns a Guard. It dials nothing and starts nothing. Its error names
// every mistake in c.
func New(c Config) (*Guard, error) {
	paths, err := c.check()
	if err != nil {
		return nil, err
	}
	loginPath := paths.Prefix() + "/login"
	return &Guard{
		sessions:   c.Sessions,
		paths:      paths,
		loginPath:  loginPath,
		loginURL:   c.BaseURL.Scheme + "://" + c.BaseURL.Host + loginPath,
		realm:      c.BaseURL.Host,
		identity:   c.IdentityHeaders,
		tokens:     c.TokenHeaders,
		lazyTokens: c.LazyTokens,
		log:        c.logger(),
	}, nil
}
