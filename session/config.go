package session

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// Defaults of Config.
const (
	DefaultLifetime = 8 * time.Hour
	DefaultGrace    = 72 * time.Hour
)

// Config wires a Manager. The zero value of a field is its documented default.
type Config struct {
	Store     store.Store // required
	Providers []providers.Provider

	Lifetime         time.Duration // of a session; 0: DefaultLifetime
	Grace            time.Duration // how long an expired session can be renewed; 0: DefaultGrace, negative: not at all
	IdleTimeout      time.Duration // ends a session nobody uses; 0: off
	AbsoluteLifetime time.Duration // ends a session however often it was renewed; 0: off

	InsecureCookie bool          // for http on loopback only: no Secure, no __Host- prefix
	SameSite       http.SameSite // 0: Lax

	WaitBudget       time.Duration // how long a request waits for a token; 0: 15 s, the time of one call to a provider
	MaxProviderCalls int           // refreshes under way at one provider, of this process; 0: 32
	ReauthNotice     time.Duration // how long before a refresh token dies the user should know; 0: 7 days, or a tenth of its life if that is less

	// EndOnRevoke ends the session as soon as the provider says that its grant
	// is revoked. Otherwise only the tokens go, and the session lives to its
	// own expiry without renewal.
	EndOnRevoke bool

	// CheckStore is what Ready asks the backend besides what it tries out
	// itself; nil: nothing.
	CheckStore func(context.Context) error

	Hooks  Hooks
	Logger *slog.Logger // nil: silent
}

func (c Config) lifetimes() lifetimes {
	l := lifetimes{session: c.Lifetime, grace: c.Grace, idle: c.IdleTimeout, absolute: c.AbsoluteLifetime}
	if l.session <= 0 {
		l.session = DefaultLifetime
	}
	switch {
	case l.grace == 0:
		l.grace = DefaultGrace
	case l.grace < 0:
		l.grace = 0
	}
	return l
}

func (c Config) sameSite() http.SameSite {
	if c.SameSite == 0 {
		return http.SameSiteLaxMode
	}
	return c.SameSite
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
