package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// successionWait is how long a sign-in waits for a refresh of the grant that it
// replaces: its answer is what the new grant goes on with.
const successionWait = 3 * time.Second

// Succeed ends the grant under old in favour of the one under next, which the
// same user has just got at the same provider: if next came without a refresh
// token, it goes on with the old one. At no moment can both present it: it is
// taken out of the one record before it is put into the other. The error is
// ErrStore: nothing was ended.
//
// If next came with its own, the old one is forgotten and left to expire. It must
// not be revoked: at many providers both sign-ins of one browser are one
// authorization, and all of that ends with any of its tokens (RFC 7009 section
// 2.1), the new ones included.
//
// A refresh token that may be consumed already is not handed on, and neither is
// what a refresh brings that is still under way after three seconds. Such a grant
// is left as it is, and what comes of it is forgotten, not revoked.
func (k *Keeper) Succeed(ctx context.Context, old, next, provider string) error {
	heir, _, err := k.load(ctx, next)
	if err != nil {
		return storeError(err)
	}
	if heir == nil || heir.Dead != "" {
		return k.End(ctx, old, provider)
	}
	patience := successionWait
	if heir.RefreshToken != "" {
		patience = 0 // what the refresh brings is of no use
	}
	last, err := k.take(ctx, old, provider, patience)
	if err != nil || last == nil {
		return err
	}
	if heir.RefreshToken != "" || last.Attempt != nil {
		k.revokeAccess(ctx, provider, last)
		return nil
	}
	if err := k.hand(ctx, next, provider, last); err != nil {
		k.cfg.Logger.ErrorContext(ctx, "refresh token not handed on to the next sign-in yet", "provider", provider, "cause", err)
		k.background(func() {
			if err := k.insist(ctx, func() error { return k.hand(ctx, next, provider, last) }); err != nil {
				k.cfg.Logger.ErrorContext(ctx, "refresh token lost: the store did not take it before the process ended", "provider", provider, "cause", err)
			}
		})
	}
	return nil
}

// succeeded stands in the place of a record whose user signed in again while a
// refresh was under way: it tells whoever gets the answer that nothing of it is
// to be revoked.
var succeeded = []byte{'='}

// errSucceeded: the grant ended because its user signed in again.
var errSucceeded = errors.New("the user signed in again")

// take ends a grant without revoking anything, and returns its last record; nil
// if there was nothing to be taken, and the grant ended by End. A refresh that is
// under way is waited for as long as patience says.
func (k *Keeper) take(ctx context.Context, key, provider string, patience time.Duration) (*record, error) {
	us, began := k.client(provider), time.Now()
	for {
		rec, entry, err := k.load(ctx, key)
		if err != nil {
			return nil, storeError(err)
		}
		if rec == nil || rec.final(us) != nil {
			return nil, k.End(ctx, key, provider)
		}
		// An answer that is in escrow has left its attempt behind, too.
		if rec.Attempt != nil && time.Since(began) < patience && k.pause(ctx, 100*time.Millisecond) {
			continue
		}
		switch err := k.replace(ctx, key, entry, succeeded); {
		case errors.Is(err, store.ErrConflict):
			continue // a refresh has begun, or ended
		case err != nil:
			return nil, storeError(err)
		}
		if rec.Attempt == nil { // else the mark is left to expire, for whoever comes back with an answer
			k.forget(ctx, key, provider)
		}
		k.decoded.Delete(key)
		return rec, nil
	}
}

// hand puts the refresh token of last into the record under key. The error is
// the store's.
func (k *Keeper) hand(ctx context.Context, key, provider string, last *record) error {
	for {
		rec, entry, err := k.load(ctx, key)
		switch {
		case err != nil:
			return err
		case rec == nil: // signed out already
			k.revoke(ctx, provider, last.secret())
			return nil
		case rec.RefreshToken == last.RefreshToken:
			return nil // a former try, whose answer was lost
		}
		heir := rec.clone()
		heir.inherit(last)
		if _, err = k.save(ctx, key, heir, entry); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// inherit takes over the refresh token of last, and what is known about it.
func (r *record) inherit(last *record) {
	r.RefreshToken, r.RefreshExpiresAt = last.RefreshToken, last.RefreshExpiresAt
	r.Warned, r.Habit = last.Warned, last.Habit
}

// forget removes the row of a grant that was blanked before.
func (k *Keeper) forget(ctx context.Context, key, provider string) {
	ctx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	if err := k.cfg.Store.Delete(ctx, key); err != nil {
		k.cfg.Logger.WarnContext(ctx, "row of an ended grant left to expire", "provider", provider, "cause", err)
	}
}
