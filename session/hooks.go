package session

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
)

// Hooks are told what happens: once per outcome, after it happened, beside the
// one record that the log gets. A nil hook is skipped.
//
// They run on the goroutine of whatever happened, for several users and requests
// at once, and it goes on when they return. ctx carries the values of the
// request that began it, a trace for example, and does not end with the request.
type Hooks struct {
	Started       func(ctx context.Context, e Event) // a user signed in
	LoginFailed   func(ctx context.Context, e Event) // somebody tried to, in vain; anybody can cause it
	Refreshed     func(ctx context.Context, e Event) // the provider issued fresh tokens
	RefreshFailed func(ctx context.Context, e Event) // it did not; Reason says why
	Waited        func(ctx context.Context, e Event) // somebody waited for a refresh, their own or another's
	ReauthSoon    func(ctx context.Context, e Event) // the refresh token dies at ExpiresAt
	Ended         func(ctx context.Context, e Event) // the session is over; Reason says why
}

// Event is what a hook is told. It holds no secret and no personal data beyond
// the provider's user id.
type Event struct {
	SessionID string // empty: there is none (LoginFailed)
	Provider  string
	UserID    string
	Reason    Reason // empty where there is nothing to say
	// ExpiresAt is the end of the session (Started), of the access token
	// (Refreshed) or of the refresh token (ReauthSoon).
	ExpiresAt time.Time
	// Took is how long it was: from sending the code to having a session
	// (Started; 0 for one that waited for its client), the provider's answer
	// (Refreshed, RefreshFailed), the wait (Waited).
	Took time.Duration
}

// LoginFailed tells the hook of that name. The routes know what became of a
// sign-in before there is a session, and write the record of it.
func (m *Manager) LoginFailed(ctx context.Context, provider string, why Reason) {
	m.tell(ctx, m.hooks.LoginFailed, Event{Provider: provider, Reason: why})
}

func (m *Manager) refreshed(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.Refreshed, refreshEvent(o, out))
}

func (m *Manager) refreshFailed(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.RefreshFailed, refreshEvent(o, out))
}

func (m *Manager) waited(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.Waited, refreshEvent(o, out))
}

func (m *Manager) reauthSoon(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.log.InfoContext(ctx, "sign-in wanted soon", "provider", o.Provider, "session", o.SessionID, "expires", out.ExpiresAt)
	m.tell(ctx, m.hooks.ReauthSoon, refreshEvent(o, out))
}

func (s *Session) event(why Reason) Event {
	return Event{SessionID: s.ID, Provider: s.User.Provider, UserID: s.User.ID, Reason: why}
}

func refreshEvent(o grant.Owner, out grant.Outcome) Event {
	return Event{SessionID: o.SessionID, Provider: o.Provider, UserID: o.Identity.Subject,
		Reason: Reason(out.Reason), ExpiresAt: out.ExpiresAt, Took: out.Took}
}

// tell calls a hook. A hook that panics must not take a refresh, and with it
// the process, down.
func (m *Manager) tell(ctx context.Context, hook func(context.Context, Event), e Event) {
	if hook == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			m.log.ErrorContext(ctx, "hook panicked", "session", e.SessionID, "panic", p)
		}
	}()
	hook(context.WithoutCancel(ctx), e)
}
