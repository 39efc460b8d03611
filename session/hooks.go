package session

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
)

// Hooks are called once per outcome, after it happened, one at a time per
// session. They must not block for long; a nil hook is skipped. ctx is not
// cancelled when the request that caused the event goes away.
type Hooks struct {
	Started       func(ctx context.Context, e Event) // a user signed in
	Refreshed     func(ctx context.Context, e Event) // the provider issued fresh tokens
	RefreshFailed func(ctx context.Context, e Event) // it did not; Reason says why
	ReauthSoon    func(ctx context.Context, e Event) // the refresh token dies at ExpiresAt
	Ended         func(ctx context.Context, e Event) // the session is over; Reason says why
}

// Event is what a hook is told. It holds no secret and no personal data beyond
// the provider's user id.
type Event struct {
	SessionID string
	Provider  string
	UserID    string
	Reason    string        // from a closed list; empty where there is nothing to say
	ExpiresAt time.Time     // of the access token (Refreshed), of the refresh token (ReauthSoon)
	Took      time.Duration // of the provider's answer, where there was one
}

func (m *Manager) refreshed(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.Refreshed, event(o, out))
}

func (m *Manager) refreshFailed(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.RefreshFailed, event(o, out))
}

func (m *Manager) reauthSoon(ctx context.Context, o grant.Owner, out grant.Outcome) {
	m.tell(ctx, m.hooks.ReauthSoon, event(o, out))
}

func event(o grant.Owner, out grant.Outcome) Event {
	return Event{SessionID: o.SessionID, Provider: o.Provider, UserID: o.Identity.Subject,
		Reason: out.Reason, ExpiresAt: out.ExpiresAt, Took: out.Took}
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
