package session

import (
	"context"
	"time"
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
