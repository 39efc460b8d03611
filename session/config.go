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

	// SigningKeys sign session tokens, newest first: the first signs, all are
	// known again. Each is the raw key, at least 32 bytes long; its length decides
	// the algorithm. None: there are no session tokens, and X-ZUMO-AUTH is not read.
	SigningKeys [][]byte
	// TokenIssuer is the issuer and the audience of session tokens: the public URL
	// of the application with a slash at its end. Required with SigningKeys.
	TokenIssuer string
	// BearerProviders are the names of those providers whose access tokens, sent
	// in Authorization: Bearer, sign a request in. Each must be a
	// providers.BearerVerifier. None: the header is the application's own.
	BearerProviders []string

	// DiscardTokens keeps no token of the provider: people are signed in, and
	// Session.Token answers grant.ErrNoRefreshToken, or grant.ErrUnsupported. A
	// session cannot be renewed then, so it ends with its Lifetime.
	DiscardTokens bool
	// LifetimeFromProvider ends a session when the ID token of its sign-in
	// expires, or else the access token; Lifetime is for a sign-in that tells of
	// neither, and the most that a renewal gives, which otherwise lasts as long as
	// the access token that it brought.
	LifetimeFromProvider bool

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
	l := lifetimes{session: c.Lifetime, grace: c.Grace, idle: c.IdleTimeout, absolute: c.AbsoluteLifetime, derived: c.LifetimeFromProvider}
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
