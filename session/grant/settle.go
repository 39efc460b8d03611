package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// release ends an attempt that certainly consumed nothing.
func (k *Keeper) release(ctx context.Context, g *Grant, rec *record, kind providers.Kind, retryAfter time.Duration) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		next.Attempt = nil
		next.Backoff = next.Backoff.after(kind, retryAfter, now)
	})
}

// refuse ends an attempt that the provider refused for its audience alone.
func (k *Keeper) refuse(ctx context.Context, g *Grant, rec *record, audience Audience, kind providers.Kind) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		next.Attempt = nil
		next.refuse(audience.key(), kind, now)
	})
}

// lose leaves the attempt in the record, as the memory of a token that may be
// consumed, and says that nobody is waiting for its answer any more.
func (k *Keeper) lose(ctx context.Context, g *Grant, rec *record, kind providers.Kind, retryAfter time.Duration) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		next.Attempt.Deadline = now
		next.Backoff = next.Backoff.after(kind, retryAfter, now)
	})
}

// bury notes that the provider ended the grant. A token that was only refused
// for want of the user leaves the access token to live out its time.
func (k *Keeper) bury(ctx context.Context, g *Grant, rec *record, kind providers.Kind) error {
	return k.amend(ctx, g, rec, func(next *record, _ time.Time) {
		next.Attempt = nil
		next.Backoff = backoff{}
		next.RefreshToken = ""
		next.Dead = kind.String()
		if kind == providers.Revoked {
			next.Access = nil
			next.IDToken = ""
		}
	})
}

// amend changes the record after an attempt that brought no tokens, as long as
// the attempt is still the record's own: a generation that moved on, or another
// attempt, wins, and there is nothing to be said about this one.
func (k *Keeper) amend(ctx context.Context, g *Grant, mine *record, change func(*record, time.Time)) error {
	for {
		rec, entry, err := k.load(ctx, g.key)
		if err != nil {
			return storeError(err)
		}
		if rec == nil {
			return ErrSessionEnded
		}
		if rec.Gen != mine.Gen || rec.Attempt == nil || rec.Attempt.ID != mine.Attempt.ID {
			return nil
		}
		next := rec.clone()
		change(next, entry.Now)
		_, err = k.save(ctx, g.key, next, entry)
		if errors.Is(err, store.ErrConflict) {
			continue
		} else if err != nil {
			return storeError(err)
		}
		return nil
	}
}
