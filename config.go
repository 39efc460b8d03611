package easyauth

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

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

	// SessionLifetime is how long a session lasts. 0: 8 hours.
	SessionLifetime time.Duration
	// GracePeriod is how long after its expiry a session can be renewed through
	// the provider, without the user. 0: 72 hours; negative: never.
	GracePeriod time.Duration
	// IdleTimeout ends a session that nobody used for so long. 0: off.
	IdleTimeout time.Duration
	// AbsoluteLifetime ends a session however often it was renewed. 0: off.
	AbsoluteLifetime time.Duration

	// AllowedRedirects are the origins outside the application that a redirect
	// after login or logout may lead to, as "https://partner.example".
	AllowedRedirects []string

	// IdentityHeaders adds X-MS-CLIENT-PRINCIPAL and its companions to the
	// requests of signed-in users, TokenHeaders the X-MS-TOKEN-* headers.
	// Copies sent by clients are removed either way.
	IdentityHeaders bool
	TokenHeaders    bool

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
	// ReauthNotice is how long before a refresh token dies ReauthSoon is told.
	// 0: 7 days, or a tenth of the token's life if that is less.
	ReauthNotice time.Duration

	// Hooks are told what happens; see session.Hooks.
	Hooks session.Hooks
	// Logger gets one record per outcome, without secrets. Nil: silent.
	Logger *slog.Logger
}

var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,31}$`)

// Validate reports every mistake at once, each with its remedy. It asks nobody
// and changes nothing.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, remedy string, args ...any) {
		errs = append(errs, fmt.Errorf("easyauth: Config."+field+": "+remedy, args...))
	}
	if _, err := parseBaseURL(c.BaseURL); err != nil {
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
		case !providerName.MatchString(p.Name()):
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
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"SessionLifetime", c.SessionLifetime}, {"IdleTimeout", c.IdleTimeout},
		{"AbsoluteLifetime", c.AbsoluteLifetime}, {"WaitBudget", c.WaitBudget}, {"ReauthNotice", c.ReauthNotice},
	} {
		if d.value < 0 {
			wrong(d.field, "%s is negative: use 0 for the default", d.value)
		}
	}
	if life := cmp.Or(c.SessionLifetime, session.DefaultLifetime); c.AbsoluteLifetime > 0 && c.AbsoluteLifetime < life {
		wrong("AbsoluteLifetime", "%s is shorter than SessionLifetime %s: raise the one or lower the other", c.AbsoluteLifetime, life)
	}
	for _, origin := range c.AllowedRedirects {
		if err := checkOrigin(origin); err != nil {
			wrong("AllowedRedirects", "%w", err)
		}
	}
	if c.RefreshTokenInMe && c.HideTokens {
		wrong("RefreshTokenInMe", "contradicts HideTokens: choose one")
	}
	return errors.Join(errs...)
}

func parseBaseURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, errors.New("missing: set the public URL of the application, as https://app.example")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("%q is not a URL: write it as https://app.example", s)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("%q has more than scheme and host: write it as https://app.example", s)
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fmt.Errorf("scheme %q: use https", u.Scheme)
	case !loopback(u.Hostname()):
		return nil, fmt.Errorf("%q is http on a host that is not loopback: session cookies would travel in the clear, use https", s)
	}
	u.Path = ""
	return u, nil
}

func checkOrigin(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not an origin: write it as https://partner.example, without a path", s)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return fmt.Errorf("%q: use https", s)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c Config) sameSite() http.SameSite {
	if c.StrictCookie {
		return http.SameSiteStrictMode
	}
	return http.SameSiteLaxMode
}
