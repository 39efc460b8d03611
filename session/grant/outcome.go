package grant

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// Owner says whose login a grant belongs to.
type Owner struct {
	SessionID string
	Provider  string
	Identity  providers.Identity
}

// Outcome is what a hook is told about one refresh, or about one wait for one.
type Outcome struct {
	Reason    string        // one of the Reason constants; empty for Refreshed and ReauthSoon
	ExpiresAt time.Time     // of the new access token (Refreshed), or of the refresh token (ReauthSoon)
	Took      time.Duration // of the provider's answer; of the wait (Waited)
}

// tellRefreshed tells of an answer that is stored, or in escrow.
func (k *Keeper) tellRefreshed(ctx context.Context, o Owner, rec *record, audience Audience, took time.Duration) {
	a := rec.Access[audience.key()]
	k.cfg.Logger.InfoContext(ctx, "refreshed", "provider", o.Provider, "session", o.SessionID,
		"generation", rec.Gen, "expires", a.ExpiresAt, "took", took)
	if k.cfg.Refreshed != nil {
		k.cfg.Refreshed(ctx, o, Outcome{ExpiresAt: a.ExpiresAt, Took: took})
	}
}

// tellFailed tells of a refresh token that was presented and brought nothing.
func (k *Keeper) tellFailed(ctx context.Context, o Owner, reason string, cause error, took time.Duration) {
	k.cfg.Logger.WarnContext(ctx, "refresh failed", "provider", o.Provider, "session", o.SessionID,
		"reason", reason, "cause", cause, "took", took)
	if k.cfg.Failed != nil {
		k.cfg.Failed(ctx, o, Outcome{Reason: reason, Took: took})
	}
}

// tellWaited tells of one caller who had to wait, and what for.
func (k *Keeper) tellWaited(ctx context.Context, o Owner, began time.Time, err error) {
	reason, took := reasonOf(err), time.Since(began)
	k.cfg.Logger.DebugContext(ctx, "waited for a refresh", "provider", o.Provider, "session", o.SessionID,
		"reason", reason, "took", took)
	if k.cfg.Waited != nil {
		k.cfg.Waited(ctx, o, Outcome{Reason: reason, Took: took})
	}
}
