// Package session says who is signed in and for how long.
//
// A handler asks [FromContext] for the [Session] of its request and the Session
// for the user and for fresh tokens; the middleware has loaded and, where need
// be, renewed it before. The [Manager] starts, loads, renews and ends sessions
// for the rooms that serve the routes.
//
// A session rests in the store, and travels in one of two ways: browsers send its
// cookie, programs its session token ([Manager.SessionToken]). Both name it and
// say nothing that counts, so what ends it ends them. The third way is none: with
// an access token of the provider somebody is signed in for one request
// ([Manager.Vouched]).
package session

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
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
	Name     string // for people: NameClaim, name, preferred_username, e-mail or ID, whichever comes first
	Email    string // decoration, never identity; empty unless it is a single address
	Claims   providers.Claims
	// NameClaim is the claim that the provider is configured to take the name
	// from; empty where nothing is configured.
	NameClaim string
}

// Session is one signed-in user as a request sees them. It is immutable and
// safe for concurrent use; it outlives the request. It must not be copied.
type Session struct {
	ID         string // stable for the life of the session; not a secret
	User       User
	CreatedAt  time.Time
	AuthTime   time.Time // when the user last proved who they are; 1970 where the provider did not tell
	ExpiresAt  time.Time // end of the session
	GraceUntil time.Time // until then the provider may renew it without the user
	// ReauthAt is when the refresh token dies, where that is near enough for
	// the user to be asked to sign in again in time; zero otherwise.
	ReauthAt time.Time
	// SeenAt is when the user was last noticed: to the minute where there is an
	// idle timeout, otherwise at the sign-in or the last renewal of the session.
	SeenAt time.Time

	manager *Manager // nil: made by hand, in a test of a handler
	cookie  string   // Format keeps it out of every dump; empty: not loaded by its cookie
	carrier Carrier
	stale   bool         // loaded by a session token that has run out
	state   State        // at load
	now     time.Time    // the store's clock at load
	end     atomic.Int64 // when it is over if nothing becomes of it, in Unix nanoseconds
	grant   grant.Grant
}

// State tells where the session stood when it was loaded. One that was loaded by
// a session token which has run out is in its Grace, however long it lasts.
func (s *Session) State() State {
	if s.stale {
		return max(s.state, Grace)
	}
	return s.state
}

// Token returns a fresh access token of the login's own audience, renewing it
// if need be, for as long as the session lasts, its grace period included. The
// errors are those of [grant.Grant.Token]: branch on grant.ErrReauthRequired,
// grant.ErrTransient, grant.ErrNoRefreshToken, grant.ErrSessionEnded, ...
func (s *Session) Token(ctx context.Context) (*oauth2.Token, error) {
	return s.TokenFor(ctx, grant.Audience{})
}

// TokenFor returns a fresh access token for another resource or scope set, got
// with the same refresh token and cached beside the first.
//
// Ask only for what the sign-in asked the user's consent for. A provider that
// refuses is not asked again for a minute, and the session's other tokens go on;
// but some strict providers use the refresh token up before they refuse, and
// the user then has to sign in again.
func (s *Session) TokenFor(ctx context.Context, aud grant.Audience) (*oauth2.Token, error) {
	if err := s.lasts(ctx); err != nil {
		return nil, err
	}
	return s.grant.Token(ctx, aud)
}

// TokenLasting is TokenFor for who needs the token for a while, to hand it on or
// to make one long call: it lives for d more, as far as the provider's tokens live
// that long at all and one can be had; see [grant.Grant.TokenLasting].
func (s *Session) TokenLasting(ctx context.Context, aud grant.Audience, d time.Duration) (*oauth2.Token, error) {
	if err := s.lasts(ctx); err != nil {
		return nil, err
	}
	return s.grant.TokenLasting(ctx, aud, d)
}

// Client returns an HTTP client that calls as the user and renews the token
// once when the API answers 401; see [grant.Grant.Client].
func (s *Session) Client(ctx context.Context) *http.Client {
	return s.ClientFor(ctx, grant.Audience{})
}

// ClientFor is Client for another audience.
func (s *Session) ClientFor(ctx context.Context, aud grant.Audience) *http.Client {
	c := s.grant.Client(ctx, aud)
	c.Transport = &whileItLasts{session: s, inner: c.Transport}
	return c
}

// Tokens returns what is stored of the session's tokens, refreshing nothing.
func (s *Session) Tokens(ctx context.Context) (grant.Snapshot, error) {
	return s.grant.Snapshot(ctx)
}

// Format writes the id and the provider whatever the verb, because a dump of
// the fields would hold tokens (docs/threats.md LEA5).
func (s *Session) Format(f fmt.State, _ rune) { io.WriteString(f, s.describe()) }

// LogValue is what Format writes.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.describe()) }

func (s *Session) describe() string {
	if s == nil {
		return "session(none)"
	}
	return "session(" + s.ID + " by " + s.User.Provider + ")"
}
