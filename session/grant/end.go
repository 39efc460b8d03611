package grant

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// End deletes the record and revokes its refresh token at the provider, where
// the provider can. The error is ErrStore: nothing was ended.
//
// A refresh that is under way, or whose answer is in escrow, finds the record gone
// when it commits, and revokes what it got.
func (k *Keeper) End(ctx context.Context, key, provider string) error {
	return k.end(ctx, key, provider, nil, always)
}

// EndRefused is End for a grant that can never be refreshed again, as a caller
// has found. A late answer of another process may have brought it back since: it
// then stays, and the error is ErrTransient.
func (k *Keeper) EndRefused(ctx context.Context, key, provider string) error {
	us := k.client(provider)
	return k.end(ctx, key, provider, nil, func(r *record) bool { return r.final(us) != nil })
}

func always(*record) bool { return true }

// errLives: the grant is not as the one who wanted to end it thought.
var errLives = errors.New("the grant lives again")

// end ends a grant and revokes its tokens: those of newest, if the caller knows
// of some that are not stored.
func (k *Keeper) end(ctx context.Context, key, provider string, newest *record, may func(*record) bool) error {
	last, err := k.strike(ctx, key, may)
	switch {
	case errors.Is(err, errLives):
		return transient(ReasonHeld, time.Second, err)
	case err != nil:
		return storeError(err)
	}
	deleteCtx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	err = k.cfg.Store.Delete(deleteCtx, key)
	switch {
	case last == nil && err != nil:
		return storeError(err) // who knows what is there
	case err != nil:
		k.cfg.Logger.WarnContext(ctx, "row of an ended grant left to expire", "provider", provider, "cause", err)
	}
	k.decoded.Delete(key)
	if newest = cmp.Or(newest, last); newest != nil && !newest.foreign(k.client(provider)) {
		k.renounce(ctx, provider, newest)
	}
	return nil
}

// strike puts nothing in the place of a record, for as long as an attempt may be
// under way, and returns what was there. Deleting alone would also delete what a
// refresh has stored since we looked, and nobody would revoke that. A record of
// which may does not say so stays, and the error is errLives.
func (k *Keeper) strike(ctx context.Context, key string, may func(*record) bool) (*record, error) {
	for {
		rec, entry, err := k.load(ctx, key)
		if err != nil || rec == nil {
			return nil, err
		}
		if !may(rec) {
			return nil, errLives
		}
		if err = k.replace(ctx, key, entry, nil); !errors.Is(err, store.ErrConflict) {
			return rec, err
		}
	}
}

// replace puts a mark, or nothing, in the place of the record that was loaded as
// e, for as long as the answer to an attempt may still come.
func (k *Keeper) replace(ctx context.Context, key string, e store.Entry, mark []byte) error {
	saveCtx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	_, err := k.cfg.Store.Save(saveCtx, key, store.Entry{Value: mark, Version: e.Version, ExpiresAt: e.Now.Add(leaseTime + quarantine)})
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	if cur, _, again := k.load(ctx, key); again == nil && cur == nil {
		return nil // the store has written all the same
	}
	return err
}

const (
	revokeTries = 5 // within a minute and a half
	// revokeTime is how long a provider that is left alone is waited for.
	revokeTime = 10 * time.Minute
	// revokeWait is how long the one who signs out waits for the provider to
	// agree; after that it goes on behind them.
	revokeWait = time.Second
)

// renounce revokes what a record holds: its refresh token, or its access token
// where the provider revokes those only.
func (k *Keeper) renounce(ctx context.Context, provider string, r *record) {
	k.revokeAccess(ctx, provider, r)
	k.revoke(ctx, provider, r.secret())
}

// revokeAccess revokes the access token, where the provider revokes those only.
func (k *Keeper) revokeAccess(ctx context.Context, provider string, r *record) {
	revoker, ok := k.cfg.Providers[provider].(providers.AccessRevoker)
	if at := r.Access[""].Token; ok && at != "" {
		k.errand(ctx, provider, func(ctx context.Context) error { return revoker.RevokeAccess(ctx, providers.NewSecret(at)) })
	}
}

// revoke asks the provider to revoke a refresh token.
func (k *Keeper) revoke(ctx context.Context, provider string, rt providers.Secret) {
	if revoker, ok := k.cfg.Providers[provider].(providers.Revoker); ok && !rt.IsZero() {
		k.errand(ctx, provider, func(ctx context.Context) error { return revoker.Revoke(ctx, rt) })
	}
}

// errand has something revoked. A failure costs nobody anything but the token's
// remaining life: the record is already gone.
func (k *Keeper) errand(ctx context.Context, provider string, revoke func(context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	k.background(func() {
		defer close(done)
		k.keepRevoking(ctx, provider, revoke)
	})
	wait := time.NewTimer(revokeWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	}
}

// keepRevoking tries again after a failure, and does not count what the gate
// turned away.
func (k *Keeper) keepRevoking(ctx context.Context, provider string, revoke func(context.Context) error) {
	began, tries := time.Now(), 0
	for {
		err := k.revokeOnce(ctx, provider, revoke)
		if err == nil {
			return
		}
		wait := time.Second << (2 * tries)
		if turned, ok := errors.AsType[*TransientError](err); ok {
			wait = turned.RetryAfter
		} else {
			k.cfg.Logger.WarnContext(ctx, "revocation failed", "provider", provider, "cause", err)
			tries++
		}
		if tries == revokeTries || time.Since(began) > revokeTime || !k.pause(ctx, wait) {
			k.cfg.Logger.WarnContext(ctx, "token not revoked", "provider", provider, "cause", err)
			return
		}
	}
}

// revokeOnce does not keep a refresh waiting: signing everybody out at once must
// not stand in the way of those who stay.
func (k *Keeper) revokeOnce(ctx context.Context, provider string, revoke func(context.Context) error) error {
	turn := k.gates[provider].errandTurn()
	if _, err := turn.take(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sent := time.Now()
	err := revoke(ctx)
	turn.done(sent, err)
	return err
}
