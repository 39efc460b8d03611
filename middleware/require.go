package middleware

import (
	"net/http"
	"strconv"
	"time"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// Require lets signed-in users pass. A stranger is sent to the login if a person
// is opening a page, and gets 401 otherwise; where it cannot be told who asks,
// the answer is 503 with Retry-After, and a page tries again by itself. A request
// that is signed in by its cookie, would change something and was caused by a
// page of another site gets 403, here and in every other guard.
//
// Inside Authenticate it uses what that found; alone it does the same work
// itself. It does not go around the routes of easyauth: for a path under the
// prefix it answers 404.
//
// A CORS preflight is refused like any other request without a session, except
// that one of Config.TrustedOrigins is answered here: letting it pass would show
// the route to whoever sends OPTIONS with the headers of a preflight.
func (g *Guard) Require(next http.Handler) http.Handler {
	return g.guard(next, func(http.ResponseWriter, *http.Request, *session.Session) bool { return true })
}

// RequireRecentLogin returns a middleware that lets users pass who have proved
// to the provider who they are within maxAge, for what must not be done from a
// browser somebody left open. Others are sent to the login with max_age (OpenID
// Connect Core 3.1.2.1), where the provider asks them again, or get 401 with the
// challenge of RFC 9470. A maxAge under a minute counts as a minute: the way
// back from the provider takes its time too.
func (g *Guard) RequireRecentLogin(maxAge time.Duration) func(http.Handler) http.Handler {
	maxAge = max(maxAge, time.Minute)
	again := login{maxAge: strconv.FormatInt(int64(maxAge/time.Second), 10)}
	return func(next http.Handler) http.Handler {
		return g.guard(next, func(w http.ResponseWriter, r *http.Request, s *session.Session) bool {
			if time.Since(s.AuthTime) <= maxAge {
				return true
			}
			g.challenge(w, r, respond.RecentLoginRequired, again.with(s))
			return false
		})
	}
}

// RequireToken lets users pass whose access token is good, renewing it first if
// need be; the handler's call of Session.Token then costs nothing. Whose token
// cannot be renewed any more is asked to sign in again, as by Require. While the
// provider does not answer it is 503 with Retry-After, and 502 where the
// provider rejects the application itself (docs/refresh.md E5).
func (g *Guard) RequireToken(next http.Handler) http.Handler {
	return g.guard(next, func(w http.ResponseWriter, r *http.Request, s *session.Session) bool {
		_, err := s.Token(r.Context())
		if err == nil {
			return true
		}
		g.refuseToken(w, r, s, err)
		return false
	})
}

// Allow returns a middleware that lets users pass of whom policy says so. Others
// get 403, as signing in again would not help them. The policy runs on every
// request and must be safe for concurrent use.
func (g *Guard) Allow(policy func(*session.Session) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.guard(next, func(w http.ResponseWriter, r *http.Request, s *session.Session) bool {
			if policy(s) {
				return true
			}
			respond.Fail(w, r, respond.Forbidden, respond.Options{})
			return false
		})
	}
}

// guard lets signed-in users pass for whom admit returns true. If it returns
// false, admit has answered.
func (g *Guard) guard(next http.Handler, admit func(http.ResponseWriter, *http.Request, *session.Session) bool) http.Handler {
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, ok := session.FromContext(r.Context())
		if !ok {
			if !g.share(w, r) {
				g.refuseStranger(w, r)
			}
			return
		}
		if g.foreign(r, s) {
			respond.Fail(w, r, respond.CrossSite, respond.Options{})
			return
		}
		if admit(w, r, s) {
			next.ServeHTTP(w, r)
		}
	})
	alone := g.Authenticate(door)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Under the prefix there is no session, so there would be a redirect to
		// the login, and from a guard around the login one to itself for ever.
		if place, _ := g.paths.Match(r.URL); place != authpath.Outside {
			respond.Fail(w, strip(r), respond.NotFound, respond.Options{})
			return
		}
		if g.known(r.Context()) {
			door.ServeHTTP(w, r)
			return
		}
		alone.ServeHTTP(w, r)
	})
}
