package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// release ends an attempt that certainly consumed nothing.
func (k *Keeper) release(ctx context.Context, g *Grant, rec *record, f failure) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		next.Attempt = next.Attempt.withdrawn(now)
		next.Backoff = next.Backoff.after(f, now)
	})
}

// refuse ends an attempt that the provider refused for its audience alone.
func (k *Keeper) refuse(ctx context.Context, g *Grant, rec *record, audience Audience, f failure) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		next.Attempt = next.Attempt.withdrawn(now)
		next.refuse(audience.key(), f, now)
	})
}

// lose leaves the attempt in the record, as the memory of a token that may be
// consumed, and says that nobody is waiting for its answer any more. An error page
// does not use up the one probe there is: it says that somebody else answered, and
// a provider behind a broken gateway signs nobody out.
func (k *Keeper) lose(ctx context.Context, g *Grant, rec *record, f failure) error {
	return k.amend(ctx, g, rec, func(next *record, now time.Time) {
		if now.Before(next.Attempt.Deadline) {
			next.Attempt.Deadline = now
		}
		next.Attempt.Probe = next.Attempt.Probe && f.kind != providers.Gateway
		next.Backoff = next.Backoff.after(f, now)
	})
}

// bury notes that the provider ended the grant. A token that was only refused
// for want of the user leaves the access token to live out its time.
func (k *Keeper) bury(ctx context.Context, g *Grant, rec *record, f failure) error {
	return k.amend(ctx, g, rec, func(next *record, _ time.Time) {
		next.Attempt = nil
		next.Backoff = backoff{}
		next.RefreshToken = ""
		next.Dead = f.kind.String()
		if f.kind == providers.Revoked {
			next.Access = nil
			next.IDToken, next.AccessSecret, next.AuthToken = "", "", ""
		}
	})
}

// recall puts right an attempt that was dated by a clock which was set back
// since: from now on it keeps others away for one lease, and not until that
// clock's time comes. A conflict is as good: somebody else was at it.
func (k *Keeper) recall(ctx context.Context, key string, rec *record, e store.Entry) error {
	next := rec.clone()
	next.Attempt.Deadline = e.Now.Add(leaseTime)
	if _, err := k.save(ctx, key, next, e); !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// amend changes the record after an attempt that brought no tokens. If the store
// does not take it, it is tried on behind the caller: what would be left is a
// token that is in doubt although nothing is wrong with it.
func (k *Keeper) amend(ctx context.Context, g *Grant, mine *record, change func(*record, time.Time)) error {
	err := k.tryAmend(ctx, g.key, mine, change)
	if errors.Is(err, ErrStore) {
		k.spawn(func() {
			k.insist(ctx, func() error {
				if err := k.tryAmend(ctx, g.key, mine, change); errors.Is(err, ErrStore) {
					return err
				}
				return nil
			})
		})
	}
	return err
}

// tryAmend changes the record as long as the attempt is still its own: a
// generation that moved on, or another attempt, wins, and there is nothing to be
// said about this one.
func (k *Keeper) tryAmend(ctx context.Context, key string, mine *record, change func(*record, time.Time)) error {
	for {
		rec, entry, err := k.load(ctx, key)
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
		_, err = k.save(ctx, key, next, entry)
		if errors.Is(err, store.ErrConflict) {
			continue
		} else if err != nil {
			return storeError(err)
		}
		return nil
	}
}
