package easyauth

import (
	"context"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sealed"
)

// Auth is one value in three roles: the handler of /.auth/*, the middleware
// that attaches the session to requests, and the guard of routes. It is safe
// for concurrent use.
type Auth struct {
	sessions *session.Manager
	routes   *handlers.Handler
	guard    *middleware.Guard
}

// New wires an Auth. It asks nobody: a provider that is down is discovered when
// somebody signs in. The error names every mistake in cfg at once.
func New(cfg Config) (*Auth, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	keys, err := decodeKeys(cfg.Keys)
	if err != nil {
		return nil, err
	}
	signingKeys, err := decodeKeys(cfg.SigningKeys)
	if err != nil {
		return nil, err
	}
	allowed, err := origin.NewList(cfg.AllowedRedirects)
	if err != nil {
		return nil, err
	}
	rows := cfg.Store
	if rows == nil {
		rows = memstore.New()
	}
	rows, err = sealed.New(rows, keys)
	if err != nil {
		return nil, err
	}
	var checkStore func(context.Context) error
	if c, ok := cfg.Store.(interface{ Check(context.Context) error }); ok {
		checkStore = c.Check
	}
	sessions, err := session.NewManager(session.Config{
		Store:                rows,
		CheckStore:           checkStore,
		Providers:            cfg.Providers,
		SigningKeys:          signingKeys,
		TokenIssuer:          base.String() + "/",
		BearerProviders:      cfg.BearerProviders,
		DiscardTokens:        cfg.DiscardTokens,
		Lifetime:             cfg.SessionLifetime,
		LifetimeFromProvider: cfg.LifetimeFromProvider,
		Grace:                cfg.GracePeriod,
		IdleTimeout:          cfg.IdleTimeout,
		AbsoluteLifetime:     cfg.AbsoluteLifetime,
		InsecureCookie:       base.Scheme == "http",
		SameSite:             cfg.sameSite(),
		WaitBudget:           cfg.WaitBudget,
		MaxProviderCalls:     cfg.MaxProviderCalls,
		ReauthNotice:         cfg.ReauthNotice,
		EndOnRevoke:          cfg.EndOnRevoke,
		Hooks:                cfg.Hooks,
		Logger:               cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	routes, err := handlers.New(handlers.Config{
		Sessions:         sessions,
		Providers:        cfg.Providers,
		BaseURL:          base,
		Prefix:           cfg.Prefix,
		Keys:             keys,
		AttemptLifetime:  cfg.AttemptLifetime,
		AllowedRedirects: cfg.AllowedRedirects,
		StrictCookie:     cfg.StrictCookie,
		TokensOff:        cfg.DiscardTokens,
		RefreshTokenInMe: cfg.RefreshTokenInMe,
		HideTokens:       cfg.HideTokens,
		Logger:           cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	rules := cfg.rules(base, allowed, routes)
	rules.Sessions = sessions
	guard, err := middleware.New(rules)
	if err != nil {
		return nil, err
	}
	return &Auth{sessions, routes, guard}, nil
}

// Wrap serves /.auth/* and passes every other request on to next, with the
// session of its user in the context. It is Authenticate and Handler in one.
func (a *Auth) Wrap(next http.Handler) http.Handler {
	return a.guard.Authenticate(a.routes.Before(next))
}

// Handler serves /.auth/*. Mount it there without stripping the prefix.
func (a *Auth) Handler() http.Handler { return a.routes }

// Authenticate attaches the session to the request's context, renewed if it is
// in its grace period, and removes the headers that only easyauth may set. It
// refuses nobody.
func (a *Auth) Authenticate(next http.Handler) http.Handler { return a.guard.Authenticate(next) }

// Require lets signed-in users pass. A stranger is sent to the login page where
// the request is a page navigation, and gets a 401 otherwise.
func (a *Auth) Require(next http.Handler) http.Handler { return a.guard.Require(next) }

// RequireToken lets users pass for whom there is a fresh access token.
func (a *Auth) RequireToken(next http.Handler) http.Handler { return a.guard.RequireToken(next) }

// RequireRecentLogin lets users pass who proved who they are within maxAge, and
// asks the others to do so again.
func (a *Auth) RequireRecentLogin(maxAge time.Duration) func(http.Handler) http.Handler {
	return a.guard.RequireRecentLogin(maxAge)
}

// Allow lets users pass for whom policy is true; the others get a 403.
func (a *Auth) Allow(policy func(*session.Session) bool) func(http.Handler) http.Handler {
	return a.guard.Allow(policy)
}

// Sessions returns the manager of the sessions, for what happens outside a
// request of their user: a list for an administrator (Sessions), an end
// everywhere (EndAll, EndOthers), a job that works for a user (Tokens, Open).
func (a *Auth) Sessions() *session.Manager { return a.sessions }

// Ready reports whether people can sign in here and stay so: the store, the
// clocks, the providers. It takes two seconds at most and is cheap to call often.
func (a *Auth) Ready(ctx context.Context) session.Readiness { return a.sessions.Ready(ctx) }

// ReadyHandler serves the report of Ready as JSON: 200, or 503 where something
// is amiss. Mount it where the load balancer asks.
func (a *Auth) ReadyHandler() http.Handler { return a.routes.Ready() }

// Close stops background work and waits for refreshes that are under way. It
// ends no session.
func (a *Auth) Close() error { return a.sessions.Close() }
