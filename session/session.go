// Package session says who is signed in and for how long.
package session

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// User is who is signed in.
type User struct {
	Provider string // alias of the provider that vouches
	Issuer   string
	ID       string // the subject: stable and unique within Issuer
	Name     string // for people: name, preferred_username or e-mail, whichever comes first
	Email    string // decoration, never identity; empty unless it is a single address
	Claims   providers.Claims
}

// Session is one signed-in user as a request sees them. It is immutable and
// safe for concurrent use; it outlives the request.
type Session struct {
	ID         string // stable for the life of the session; not a secret
	User       User
	CreatedAt  time.Time
	AuthTime   time.Time // when the user last proved who they are
	ExpiresAt  time.Time // end of the session
	GraceUntil time.Time // until then the provider may renew it without the user
	// ReauthAt is when the refresh token dies, where that is near enough for
	// the user to be asked; zero otherwise.
	ReauthAt time.Time

	cookie  providers.Secret
	manager *Manager
}

// State is where a session stands in its life.
type State uint8

const (
	Active State = iota
	Grace        // expired, renewable
	Over
)

// State tells where the session stands at now.
func (s *Session) State(now time.Time) State { panic("todo") }

// FromContext returns the session of the request, if somebody is signed in.
func FromContext(ctx context.Context) (*Session, bool) { panic("todo") }

// NewContext returns a context that carries s.
func NewContext(ctx context.Context, s *Session) context.Context { panic("todo") }

// Err tells why a request that came with a session cookie carries no session:
// nil where nobody is signed in, ErrUnavailable (possibly with a grant
// error inside) where that could not be found out.
func Err(ctx context.Context) error { panic("todo") }

// NewErrContext returns a context for which Err returns err.
func NewErrContext(ctx context.Context, err error) context.Context { panic("todo") }

// Token returns a fresh access token of the login's own audience.
func (s *Session) Token(ctx context.Context) (*oauth2.Token, error) { panic("todo") }

// TokenFor returns a fresh access token for another audience.
func (s *Session) TokenFor(ctx context.Context, aud grant.Audience) (*oauth2.Token, error) {
	panic("todo")
}

// Client returns an HTTP client that calls as the user.
func (s *Session) Client(ctx context.Context) *http.Client { panic("todo") }

// Tokens returns what is stored, refreshing nothing.
func (s *Session) Tokens(ctx context.Context) (grant.Snapshot, error) { panic("todo") }
