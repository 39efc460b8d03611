package middleware

import (
	"errors"
	"log/slog"
	"net/http"

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

	gate      Gate // the open one where there is none
	excluded  excluded
	gated     bool // there is one
	proxy     *ForwardProxy
	origins   *http.CrossOriginProtection
	partners  map[string]bool // origins whose pages may call
	fragments bool
	silent    bool

	base         string // scheme and host
	secure       bool   // it is https
	reauthCookie string
	logoutPath   string
	logout       http.Handler

	log *slog.Logger
}

// New returns a Guard. It dials nothing and starts nothing. Its error names
// every mistake in c.
func New(c Config) (*Guard, error) {
	gate := *c.gate()
	paths, err := c.check()
	open, more := gate.check(c)
	origins, also := newProtection(c.TrustedOrigins)
	if c.Sessions == nil {
		also = errors.Join(also, errors.New("middleware: Sessions is missing: give the session manager"))
	}
	if err := errors.Join(err, more, also); err != nil {
		return nil, err
	}
	base := c.BaseURL.Scheme + "://" + c.BaseURL.Host
	// Behind a proxy the Host that an Origin is compared with may be another one.
	if err := origins.AddTrustedOrigin(base); err != nil {
		return nil, err
	}
	loginPath := paths.Prefix() + "/login"
	g := &Guard{
		sessions:   c.Sessions,
		paths:      paths,
		loginPath:  loginPath,
		loginURL:   base + loginPath,
		realm:      c.BaseURL.Host,
		identity:   c.IdentityHeaders,
		tokens:     c.TokenHeaders,
		lazyTokens: c.LazyTokens,
		log:        c.logger(),

		gate:      gate,
		excluded:  open,
		gated:     c.Gate != nil,
		proxy:     c.ForwardProxy,
		origins:   origins,
		partners:  make(map[string]bool, len(c.TrustedOrigins)),
		fragments: c.PreserveFragments,
		silent:    !c.NoSilentReauth,

		base:         base,
		secure:       c.BaseURL.Scheme == "https",
		reauthCookie: "easyauth-reauth",
		logoutPath:   c.LogoutEndpoint,
		logout:       c.Logout,
	}
	for _, origin := range c.TrustedOrigins {
		g.partners[origin] = true
	}
	if g.secure {
		g.reauthCookie = "__Host-" + g.reauthCookie
	}
	return g, nil
}
