package handlers

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// Config is what the routes need to know.
type Config struct {
	// Sessions starts, loads and ends the sessions. Required.
	Sessions *session.Manager

	// Providers are offered in this order. At least one is required; their
	// names must differ.
	Providers []providers.Provider

	// BaseURL is the application's address as browsers see it: https, or http on
	// loopback, without a path. Every URL is made from it and none from a
	// request (HST1). Required.
	BaseURL *url.URL

	// Prefix is where the routes are. Default: /.auth.
	Prefix string

	// Keys seal what travels in cookies of our own, newest first: the first
	// seals, all open. Each must be random and at least 32 bytes long. Required.
	Keys [][]byte

	// AllowedRedirects are the places, besides the application's own, to which a
	// sign-in or a sign-out may lead: origins (https://partner.example), single
	// pages (https://partner.example/signed-in, with any query) and what opens an
	// application on a device (myapp://easyauth.callback). Pages of their origins
	// may be given session tokens and call the routes for programs.
	AllowedRedirects []string

	// AttemptLifetime is how long a sign-in may take at the provider; one that
	// takes longer is begun again once. At most providers.FlowLifetime, which is
	// the default.
	AttemptLifetime time.Duration

	// StrictCookie says that the session cookie is SameSite=Strict. A sign-in
	// then ends with a page of ours that leads on to the target, because browsers
	// withhold such a cookie from a redirect that began at the provider.
	StrictCookie bool

	// RefreshTokenInMe adds the refresh token to /.auth/me.
	RefreshTokenInMe bool

	// HideTokens leaves every token out of /.auth/me.
	HideTokens bool

	// TokensOff says that no token of a provider is kept: there is no /.auth/me.
	TokensOff bool

	// Logger gets one record for each outcome, with a reason out of a closed list
	// and without secrets. Default: none is written.
	Logger *slog.Logger
}

// New returns the handler of the routes. It never dials. Its error joins every
// mistake in cfg, each with its remedy.
func New(cfg Config) (*Handler, error) {
	var errs []error
	refuse := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	h := &Handler{
		sessions: cfg.Sessions,
		byName:   make(map[string]providers.Provider, len(cfg.Providers)),
		me:       disclosure{tokens: !cfg.HideTokens, refreshToken: cfg.RefreshTokenInMe && !cfg.HideTokens},
		strict:   cfg.StrictCookie,
		storeOff: cfg.TokensOff,
		clients:  make(turns),
		browsers: make(turns),
		log:      cfg.Logger,
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Sessions == nil {
		refuse(errors.New("handlers: Sessions is missing: give the session manager"))
	} else {
		_, err := cfg.Sessions.SessionToken(new(session.Session)) // of nobody: all it can say is whether there are keys
		h.tokens = !errors.Is(err, errors.ErrUnsupported)
	}
	if len(cfg.Providers) == 0 {
		refuse(errors.New("handlers: Providers is empty: give at least one"))
	}
	for _, p := range cfg.Providers {
		if p == nil {
			refuse(errors.New("handlers: Providers has a nil entry: leave it out"))
			continue
		}
		name := p.Name()
		switch {
		case !providers.ValidName(name):
			refuse(fmt.Errorf("handlers: provider name %q refused: use 1 to 32 of a-z, 0-9 and _", name))
		case slices.Contains(reserved, name):
			refuse(fmt.Errorf("handlers: provider name %q refused: it is a route, give the provider another", name))
		case h.byName[name] != nil:
			refuse(fmt.Errorf("handlers: two providers are named %q: give each a name of its own", name))
		}
		h.byName[name] = p
		h.clients.add(p)
		h.browsers.add(p)
		h.providers = append(h.providers, p)
	}
	var err error
	if h.paths, err = authpath.New(cfg.Prefix); err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	if err := origin.CheckBase(cfg.BaseURL); err != nil {
		return nil, errors.Join(append(errs, fmt.Errorf("handlers: BaseURL: %w", err))...)
	}
	h.origin = origin.Of(cfg.BaseURL)
	h.realm = cfg.BaseURL.Host
	h.base = cfg.BaseURL.Scheme + "://" + cfg.BaseURL.Host + h.paths.Prefix()
	h.targets, err = newTargets(cfg.BaseURL, h.paths.Prefix(), cfg.AllowedRedirects)
	refuse(err)
	secure := h.origin.Scheme == "https"
	lifetime, err := cfg.attemptLifetime()
	refuse(err)
	h.flows, err = newFlowCookies(cfg.Keys, secure, lifetime)
	refuse(err)
	if err == nil { // the same keys are judged once
		h.logouts, err = newLogoutCookie(cfg.Keys, secure)
		refuse(err)
		h.codes, err = newCodes(cfg.Keys)
		refuse(err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return h, nil
}

// reserved are the segments after /login/ that are no provider.
var reserved = []string{"done", "iframereceiver"}

func (c Config) attemptLifetime() (time.Duration, error) {
	switch {
	case c.AttemptLifetime == 0:
		return providers.FlowLifetime, nil
	case c.AttemptLifetime < time.Second || c.AttemptLifetime > providers.FlowLifetime:
		return 0, fmt.Errorf("handlers: AttemptLifetime of %s refused: use 1 s to %s", c.AttemptLifetime, providers.FlowLifetime)
	}
	return c.AttemptLifetime, nil
}
