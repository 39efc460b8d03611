package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// Authenticate attaches the session to the context of every request outside the
// prefix, for session.FromContext, and hands all of them on, unless there is a
// Gate: strangers too, and requests of which it cannot be told whose they are
// (session.Err says so).
//
// A session in its grace period is renewed before the handler runs. An access
// token that is due is renewed as well, unless Config.LazyTokens leaves that to
// the handler; a failure there keeps nobody from being served.
//
// Headers by which App Service tells an application who is signed in are removed
// from every request, in whatever spelling, wherever the request goes
// (docs/threats.md HDR1-HDR7). A path that only looks like one under the prefix is
// answered 404 (docs/threats.md PTH1-PTH5).
func (g *Guard) Authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = strip(r)
		if g.elsewhere(w, r) {
			return
		}
		switch place, _ := g.paths.Match(r.URL); place {
		case authpath.Outside:
			g.admit(w, r, next)
		case authpath.Inside:
			next.ServeHTTP(w, r) // the routes judge for themselves who asks
		default:
			respond.Fail(w, r, respond.NotFound, respond.Options{})
		}
	})
}

// admit serves a request outside the prefix.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if g.isLogout(r) {
		g.logout.ServeHTTP(w, g.asLogout(r))
		return
	}
	r, s := g.attach(w, r)
	switch {
	case s == nil && g.closed(w, r):
	case s != nil && g.gated && g.foreign(r, s):
		respond.Fail(w, r, respond.CrossSite, respond.Options{})
	case s != nil && g.remind(w, r, s):
	default:
		next.ServeHTTP(w, r)
	}
}

// attach returns the request with what it says about who sends it, and their
// session: nil where there is none.
func (g *Guard) attach(w http.ResponseWriter, r *http.Request) (*http.Request, *session.Session) {
	ctx := r.Context()
	s, err := g.load(w, r)
	switch {
	case err == nil:
		g.sessions.Touch(ctx, s)
		r = r.WithContext(session.NewContext(ctx, s))
		g.identify(r, s)
		return r, s
	case errors.Is(err, session.ErrNoCookie):
		return r, nil // a stranger costs nothing
	case !errors.Is(err, session.ErrNone):
		if ctx.Err() == nil { // else the client went away, and nothing is wrong
			g.log.WarnContext(ctx, "session not determined", "cause", err)
		}
		return r.WithContext(session.NewErrContext(ctx, err)), nil
	}
	if g.sessions.CookieDoubled(r) && !conditional(r) {
		// Whichever of the two is real, the browser is rid of both (COO3).
		g.sessions.ClearCookie(w)
		neverCache(w.Header())
	}
	return r.WithContext(context.WithValue(ctx, looked{}, &look{g, err})), nil
}

// load returns the session of the request, in the state in which a handler may
// see it.
func (g *Guard) load(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s, err := g.sessions.LoadAny(r)
	if err != nil {
		return nil, err
	}
	if s.State() == session.Grace {
		if s.Carrier() == session.Token {
			return nil, errTokenOver
		}
		if s, err = g.sessions.Renew(r.Context(), s); err != nil {
			return nil, err
		}
		if !conditional(r) {
			g.sessions.WriteCookie(w, s)
			neverCache(w.Header())
		}
		return s, nil
	}
	if !g.lazyTokens {
		err = g.sessions.KeepFresh(r.Context(), s)
	}
	return s, err
}

// errTokenOver is of a session token that only /.auth/refresh takes any more.
var errTokenOver = fmt.Errorf("%w: its token has expired", session.ErrNone)

// looked is the key of a look: the request has a cookie or a token and no
// session, and a guard further in need not ask the store again (docs/threats.md
// DOS3).
type looked struct{}

// look is what a Guard found out about such a request.
type look struct {
	guard *Guard
	err   error // an ErrNone
}

// seen returns why there is no session, if g has looked for one in vain.
func (g *Guard) seen(ctx context.Context) error {
	if l, ok := ctx.Value(looked{}).(*look); ok && l.guard == g {
		return l.err
	}
	return nil
}

// known reports whether Authenticate has seen the request already.
func (g *Guard) known(ctx context.Context) bool {
	_, ok := session.FromContext(ctx)
	return ok || session.Err(ctx) != nil || g.seen(ctx) != nil
}

// conditional reports whether the answer may be a 304: a cookie on it would be
// stored with a copy that the browser, or a cache on the way, had all along
// (docs/threats.md CAC3). A renewed session does without one; the cookie it has
// stays good for the whole former grace period.
func conditional(r *http.Request) bool {
	return len(r.Header["If-None-Match"]) > 0 || len(r.Header["If-Modified-Since"]) > 0
}

// neverCache makes sure that no cache keeps the answer, which sets somebody's
// cookie (docs/threats.md CAC1).
//
// It says no-store already, since it got its cookie. But the application may set
// a Cache-Control of its own afterwards, with the best intentions: "public,
// max-age=31536000" on a logo. That replaces ours, and the ResponseWriter is not
// ours to wrap. So there is a second field under a key that the application's
// Set does not find, because it writes the canonical one. Both go out, as field
// names are case-insensitive on the wire, and a cache that sees no-store among
// the directives must not store, whatever else it was told (RFC 9111, sections
// 4.2.1 and 5.2.2.5).
func neverCache(h http.Header) { h["cache-control"] = []string{"no-store"} }
