package easyauth

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store"
)

// Config describes how an application signs people in. BaseURL, one provider
// and one key are required; the zero value of every other field is a default
// that is safe to keep.
type Config struct {
	// BaseURL is the public URL of the application, without a path:
	// "https://app.example". Redirect URIs and cookies follow from it; the Host
	// header of a request never does. Plain http is for loopback hosts only.
	BaseURL string

	// Providers are who may vouch for users, each with a name of its own.
	Providers []providers.Provider

	// Store keeps sessions and tokens; what it keeps is encrypted with Keys
	// first. Nil is a store in this process's memory, which a restart empties.
	Store store.Store

	// Keys encrypt cookies and records: each at least 32 bytes, in Base64 or
	// hexadecimal, from NewKey or ParseKeys. The first one seals; all of them
	// open, so that a key can be replaced without signing anybody out.
	Keys []providers.Secret

	// SigningKeys sign session tokens, by which programs without cookies are
	// signed in (X-ZUMO-AUTH): each at least 32 bytes, in Base64 or hexadecimal.
	// The first one signs; all of them are known. None: there are no session
	// tokens, and clients cannot sign in with tokens of their own.
	SigningKeys []providers.Secret
	// BearerProviders are the names of those providers whose access tokens for
	// this application, sent in Authorization: Bearer, sign a request in.
	BearerProviders []string

	// Prefix is where the routes are. "": /.auth.
	Prefix string

	// SessionLifetime is how long a session lasts. 0: 8 hours.
	SessionLifetime time.Duration
	// LifetimeFromProvider ends a session when the ID token of its sign-in
	// expires, or else the access token. SessionLifetime is then for a sign-in
	// that tells of neither, and the most that a renewal gives.
	LifetimeFromProvider bool
	// GracePeriod is how long after its expiry a session can be renewed through
	// the provider, without the user. 0: 72 hours; negative: never.
	GracePeriod time.Duration
	// IdleTimeout ends a session that nobody used for so long. 0: off.
	IdleTimeout time.Duration
	// AbsoluteLifetime ends a session however often it was renewed. 0: off.
	AbsoluteLifetime time.Duration

	// AttemptLifetime is how long a sign-in may take at the provider. 0: 10
	// minutes, which is also the most.
	AttemptLifetime time.Duration

	// AllowedRedirects are the places outside the application that a redirect
	// after login or logout may lead to: an origin ("https://partner.example"), a
	// single page ("https://partner.example/signed-in"), or what opens an
	// application on a device ("myapp://easyauth.callback"). Pages of these
	// origins may also be handed session tokens, call the routes by CORS, and
	// post with the session cookie.
	AllowedRedirects []string

	// Gate is one rule for the whole application, as App Service has it, in place
	// of guards around single routes. Nil: strangers pass.
	Gate *middleware.Gate
	// ForwardProxy says which proxies may tell how browsers reach the
	// application. Nil: none.
	ForwardProxy *middleware.ForwardProxy
	// LogoutEndpoint is a path of the application that signs out as well, such as
	// "/signout". "": none.
	LogoutEndpoint string
	// PreserveFragments keeps the part of an address after "#" over a sign-in, by
	// a page with a small script in place of the redirect to the login.
	PreserveFragments bool
	// NoSilentReauth leaves it to the application to do something about refresh
	// tokens near their end. Otherwise whoever opens a page then is sent to the
	// provider and back, once in ten minutes, without being shown anything.
	NoSilentReauth bool

	// IdentityHeaders adds X-MS-CLIENT-PRINCIPAL and its companions to the
	// requests of signed-in users, TokenHeaders the X-MS-TOKEN-* headers.
	// Copies sent by clients are removed either way.
	IdentityHeaders bool
	TokenHeaders    bool

	// DiscardTokens keeps no token of a provider: people are signed in, and that
	// is all; there is no /.auth/me and nothing to renew.
	DiscardTokens bool
	// RefreshTokenInMe lets /.auth/me return the refresh token as App Service
	// does; HideTokens keeps every token out of it.
	RefreshTokenInMe bool
	HideTokens       bool

	// StrictCookie makes the session cookie SameSite=Strict instead of Lax: a
	// user who follows a link from another site arrives signed out.
	StrictCookie bool
	// LazyTokens leaves the renewal of access tokens to the first call of
	// Session.Token, instead of doing it before the handler runs.
	LazyTokens bool
	// EndOnRevoke ends a session as soon as the provider revoked its grant,
	// instead of only taking its tokens away.
	EndOnRevoke bool
	// WaitBudget is how long a request waits for the renewal of an expired
	// token. 0: 15 seconds, the time one call to a provider may take.
	WaitBudget time.Duration
	// MaxProviderCalls is how many refreshes of this process may be under way at
	// one provider at the same time; the others queue. 0: 32.
	MaxProviderCalls int
	// ReauthNotice is how long before a refresh token dies ReauthSoon is told.
	// 0: 7 days, or a tenth of the token's life if that is less.
	ReauthNotice time.Duration

	// Hooks are told what happens; see session.Hooks.
	Hooks session.Hooks
	// Logger gets one record per outcome, without secrets. Nil: silent.
	Logger *slog.Logger
}

// Validate reports every mistake at once, each with its remedy. It asks nobody
// and changes nothing.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, remedy string, args ...any) {
		errs = append(errs, fmt.Errorf("easyauth: Config."+field+": "+remedy, args...))
	}
	base, err := parseBaseURL(c.BaseURL)
	if err != nil {
		wrong("BaseURL", "%w", err)
	}
	if len(c.Providers) == 0 {
		wrong("Providers", "none: add at least one, providers.NewOIDC makes one for any OpenID Connect issuer")
	}
	names := make(map[string]bool)
	for i, p := range c.Providers {
		switch {
		case p == nil:
			wrong("Providers", "number %d is nil: check the error of its constructor", i)
		case !providers.ValidName(p.Name()):
			wrong("Providers", "name %q: use 1 to 32 of a-z, 0-9 and _, beginning with a letter or digit", p.Name())
		case names[p.Name()]:
			wrong("Providers", "name %q is used twice: give each provider a name of its own", p.Name())
		default:
			names[p.Name()] = true
		}
	}
	if len(c.Keys) == 0 {
		wrong("Keys", "none: make one with easyauth.NewKey and keep it outside the code")
	}
	for i, k := range c.Keys {
		if _, err := decodeKey(k); err != nil {
			wrong("Keys", "number %d: %w", i, err)
		}
	}
	for i, k := range c.SigningKeys {
		if _, err := decodeKey(k); err != nil {
			wrong("SigningKeys", "number %d: %w", i, err)
		}
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"SessionLifetime", c.SessionLifetime}, {"IdleTimeout", c.IdleTimeout},
		{"AttemptLifetime", c.AttemptLifetime}, {"AbsoluteLifetime", c.AbsoluteLifetime}, {"WaitBudget", c.WaitBudget}, {"ReauthNotice", c.ReauthNotice},
	} {
		if d.value < 0 {
			wrong(d.field, "%s is negative: use 0 for the default", d.value)
		}
	}
	if c.MaxProviderCalls < 0 {
		wrong("MaxProviderCalls", "%d is negative: use 0 for the default", c.MaxProviderCalls)
	}
	if life := cmp.Or(c.SessionLifetime, session.DefaultLifetime); c.AbsoluteLifetime > 0 && c.AbsoluteLifetime < life {
		wrong("AbsoluteLifetime", "%s is shorter than SessionLifetime %s: raise the one or lower the other", c.AbsoluteLifetime, life)
	}
	allowed, err := origin.NewList(c.AllowedRedirects)
	if err != nil {
		wrong("AllowedRedirects", "%w", err)
	}
	if _, err := authpath.New(c.Prefix); err != nil {
		wrong("Prefix", "%w", err)
	}
	if c.AttemptLifetime > providers.FlowLifetime {
		wrong("AttemptLifetime", "%s is too long: use at most %s", c.AttemptLifetime, providers.FlowLifetime)
	}
	for _, name := range c.BearerProviders {
		if !names[name] {
			wrong("BearerProviders", "there is no provider %q: give the name of one of Providers", name)
		}
	}
	if c.Gate != nil && c.Gate.Provider != "" && !names[c.Gate.Provider] {
		wrong("Gate", "there is no provider %q: give the name of one of Providers, or none", c.Gate.Provider)
	}
	if base != nil {
		rules := c.rules(base, allowed, http.NotFoundHandler())
		rules.Prefix = "" // judged above
		for _, err := range unjoined(rules.Validate()) {
			errs = append(errs, fmt.Errorf("easyauth: Config.%s", strings.TrimPrefix(err.Error(), "middleware: ")))
		}
	}
	if c.RefreshTokenInMe && c.HideTokens {
		wrong("RefreshTokenInMe", "contradicts HideTokens: choose one")
	}
	return errors.Join(errs...)
}

// unjoined are the errors that errors.Join has made one of.
func unjoined(err error) (errs []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return slices.DeleteFunc([]error{err}, func(err error) bool { return err == nil })
	}
	for _, err := range joined.Unwrap() {
		errs = append(errs, unjoined(err)...)
	}
	return errs
}

// rules is the middleware's part of c, without the sessions.
func (c Config) rules(base *url.URL, allowed origin.List, routes http.Handler) middleware.Config {
	rules := middleware.Config{
		BaseURL:           base,
		Prefix:            c.Prefix,
		IdentityHeaders:   c.IdentityHeaders,
		TokenHeaders:      c.TokenHeaders,
		LazyTokens:        c.LazyTokens,
		Gate:              c.Gate,
		ForwardProxy:      c.ForwardProxy,
		TrustedOrigins:    allowed.Origins(),
		LogoutEndpoint:    c.LogoutEndpoint,
		PreserveFragments: c.PreserveFragments,
		NoSilentReauth:    c.NoSilentReauth,
		Logger:            c.Logger,
	}
	if c.LogoutEndpoint != "" {
		rules.Logout = routes
	}
	return rules
}

func parseBaseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL: write it as https://app.example", s)
	}
	if err := origin.CheckBase(u); err != nil {
		return nil, err
	}
	u.Path = ""
	return u, nil
}

func (c Config) sameSite() http.SameSite {
	if c.StrictCookie {
		return http.SameSiteStrictMode
	}
	return http.SameSiteLaxMode
}
