package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

var (
	// ErrNone: there is no session: no cookie, a malformed or doubled one, an
	// unknown, ended or expired session. The text says which.
	ErrNone = errors.New("session: none")
	// ErrUnavailable: the store or the provider could not be asked whether
	// there is a session. Nobody is signed out for it.
	ErrUnavailable = errors.New("session: cannot be determined now")
)

// Manager starts, loads, renews and ends sessions.
type Manager struct{}

// Load returns the session that the request's cookie names, Active or in its
// Grace (never Over). It costs one store read, and none where there is no
// well-formed cookie. Errors: ErrNone, ErrUnavailable.
func (m *Manager) Load(r *http.Request) (*Session, error) { panic("todo") }

// Start begins a session for a completed login: stores the tokens, reads
// userinfo, stores the session, ends the one that the browser had before, and
// sets the cookie, always with a new value. Errors: *providers.Error of Kind
// Mismatch when userinfo is about somebody else, *providers.Error Invalid for
// an unusable identity; anything else is the store.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, login *providers.Login) (*Session, error) {
	panic("todo")
}

// Renew renews a session in its grace period through the provider. The
// result is Active. Errors: ErrNone (wrapping the reason) when it is over,
// ErrUnavailable (wrapping a grant error) when that cannot be decided now.
func (m *Manager) Renew(ctx context.Context, s *Session) (*Session, error) { panic("todo") }

// Refresh renews the provider's tokens now (at most once per five seconds while
// they are fresh) and, with them, the session. Errors: those of package grant,
// or ErrNone when the session ended meanwhile.
func (m *Manager) Refresh(ctx context.Context, s *Session) (*Session, error) { panic("todo") }

// KeepFresh brings the access token of s up to date as far as its phase asks
// for: behind the request, or before it within the wait budget.
func (m *Manager) KeepFresh(ctx context.Context, s *Session) { panic("todo") }

// Touch notes that the user is there, for the idle timeout. It writes at most
// once a minute, and never without an idle timeout.
func (m *Manager) Touch(ctx context.Context, s *Session) { panic("todo") }

// End ends the session everywhere: tombstone, tokens deleted, refresh token
// revoked at the provider where it can. ErrUnavailable: nothing was ended.
func (m *Manager) End(ctx context.Context, s *Session) error { panic("todo") }

// WriteCookie sends the session's cookie (again), with its present expiry.
func (m *Manager) WriteCookie(w http.ResponseWriter, s *Session) { panic("todo") }

// ClearCookie tells the browser to drop the session cookie.
func (m *Manager) ClearCookie(w http.ResponseWriter) { panic("todo") }

// CookieDoubled reports whether the request carries more than one session
// cookie (security.md COO3): such a request has no session.
func (m *Manager) CookieDoubled(r *http.Request) bool { panic("todo") }

// Spend marks id as used until then and reports whether it was the first to do
// so, across all processes that share the store: a login attempt is finished at
// most once (security.md REP1-REP3).
func (m *Manager) Spend(ctx context.Context, id string, until time.Time) (bool, error) {
	panic("todo")
}

// Close stops background work and waits for it.
func (m *Manager) Close() error { panic("todo") }
