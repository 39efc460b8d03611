package middleware

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// retrySoon is told where nobody knows better when to try again.
const retrySoon = 5 * time.Second

// maxTarget is the longest target that the login takes (docs/threats.md R13).
const maxTarget = 2048

// login is how a refused user is asked to sign in.
type login struct {
	provider string // whose session it is; empty: a stranger, who may choose
	maxAge   string // seconds; empty: any sign-in will do
	bearer   bool   // it came with an access token that is no good: a program's, whatever else it looks like
}

func (l login) with(s *session.Session) login {
	l.provider = s.User.Provider
	return l
}

// loginTarget is the login's parameter that says where to go afterwards.
const loginTarget = "post_login_redirect_uri"

// stranger is how a request without a session is asked to sign in.
func (g *Guard) stranger(ctx context.Context) login {
	return login{provider: g.gate.Provider, bearer: errors.Is(g.seen(ctx), session.ErrBearer)}
}

// refuseStranger answers a request without a session.
func (g *Guard) refuseStranger(w http.ResponseWriter, r *http.Request) {
	if err := session.Err(r.Context()); err != nil {
		g.refuseForNow(w, r, err)
		return
	}
	if errors.Is(g.seen(r.Context()), session.ErrForbidden) {
		respond.Fail(w, r, respond.Forbidden, respond.Options{})
		return
	}
	g.challenge(w, r, respond.SignInRequired, g.stranger(r.Context()))
}

// refuseToken answers a request whose access token could not be had.
func (g *Guard) refuseToken(w http.ResponseWriter, r *http.Request, s *session.Session, err error) {
	switch {
	case errors.Is(err, grant.ErrSessionEnded):
		g.challenge(w, r, respond.SignInRequired, login{})
	case errors.Is(err, grant.ErrReauthRequired), errors.Is(err, grant.ErrNoRefreshToken), errors.Is(err, grant.ErrUnsupported):
		g.challenge(w, r, respond.ReauthRequired, login{}.with(s))
	default:
		g.refuseForNow(w, r, err)
	}
}

// refuseForNow answers where neither the user nor the request is to blame. It
// never asks anybody to sign in, and it leaves the cookie alone.
func (g *Guard) refuseForNow(w http.ResponseWriter, r *http.Request, err error) {
	// Loading a page again is free of consequences only where it was just opened.
	o := respond.Options{RetryAfter: retrySoon, Reload: respond.Navigation(r)}
	why := respond.StoreUnavailable
	if transient, ok := errors.AsType[*grant.TransientError](err); ok {
		why, o.RetryAfter = respond.ProviderUnavailable, transient.RetryAfter
	} else if errors.Is(err, grant.ErrMisconfigured) {
		why, o = respond.ProviderMisconfigured, respond.Options{} // waiting does not help
	}
	respond.Fail(w, r, why, o)
}

// challenge asks the user to sign in: by redirect to the login and back, if a
// person is opening a page at the top level, else by 401. The 401 is always a
// problem+json: whoever gets it cannot follow a redirect, so it is a program's
// to read.
func (g *Guard) challenge(w http.ResponseWriter, r *http.Request, why respond.Reason, l login) {
	params := make(url.Values, 2)
	if l.maxAge != "" {
		params.Set("max_age", l.maxAge)
	}
	if l.bearer || !respond.Navigation(r) {
		respond.Problem(w, r, why, respond.Options{Challenge: g.bearer(l), Login: l.at(g.loginURL, params)})
		return
	}
	target := ownTarget(r)
	if target != "" {
		params.Set(loginTarget, target) // the last one: "max_age" sorts before it
	}
	if address := l.at(g.loginPath, params); g.fragments && target != "" {
		respond.Lead(w, r, address)
	} else {
		respond.Redirect(w, r, address)
	}
}

// at completes the address of the login.
func (l login) at(address string, params url.Values) string {
	if l.provider != "" {
		address += "/" + l.provider
	}
	if len(params) > 0 {
		address += "?" + params.Encode()
	}
	return address
}

// bearer is the value of WWW-Authenticate: in the words of App Service, which
// puts no comma between the parameters, or in those of RFC 9470 where a newer
// sign-in is asked for, of RFC 6750 where an access token is no good.
func (g *Guard) bearer(l login) string {
	switch {
	case g.gate.HideChallenge:
		return ""
	case l.bearer:
		return `Bearer realm="` + g.realm + `", error="invalid_token"`
	case l.maxAge != "":
		return `Bearer realm="` + g.realm + `", error="insufficient_user_authentication", max_age="` + l.maxAge + `"`
	}
	return `Bearer realm="` + g.realm + `" authorization_uri="` + g.loginURL + `"`
}

// asked is the address that the browser asked for: http.StripPrefix and its kin
// may have changed r.URL.
func asked(r *http.Request) *url.URL {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u
	}
	return r.URL
}

// ownTarget is the path and query that the browser asked for, as where to go
// after the login, or "" where it would not read them as an address of the same
// origin (docs/threats.md RED5). The login judges the target again, by stricter rules.
func ownTarget(r *http.Request) string {
	u := asked(r)
	target := u.EscapedPath()
	if u.RawQuery != "" {
		target += "?" + u.RawQuery
	}
	if len(target) > maxTarget || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return ""
	}
	return target
}
