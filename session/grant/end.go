package grant

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// End deletes the record and revokes its refresh token at the provider, where
// the provider can. The error is ErrStore: nothing was ended.
//
// A refresh that is under way finds the record gone when it commits, and
// revokes what it got.
func (k *Keeper) End(ctx context.Context, key, provider string) error {
	rec, _, err := k.load(ctx, key)
	if err != nil {
		return storeError(err)
	}
	var rt providers.Secret
	if rec != nil {
		rt = providers.NewSecret(rec.RefreshToken)
	}
	return k.end(ctx, key, provider, rt)
}

func (k *Keeper) end(ctx context.Context, key, provider string, rt providers.Secret) error {
	deleteCtx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	if err := k.cfg.Store.Delete(deleteCtx, key); err != nil {
		return storeError(err)
	}
	k.revoke(ctx, provider, rt)
	return nil
}

const (
	revokeTries = 3
	// revokeWait is how long the one who signs out waits for the provider to
	// agree; after that it goes on behind them.
	revokeWait = time.Second
)

// revoke asks the provider to revoke a refresh token. A failure costs nobody
// anything but the token's remaining life: the record is already gone.
func (k *Keeper) revoke(ctx context.Context, provider string, rt providers.Secret) {
	revoker, ok := k.cfg.Providers[provider].(providers.Revoker)
	if !ok || rt.IsZero() {
		return
	}
	ctx = context.WithoutCancel(ctx)
	done := make(chan struct{})
	k.background(func() {
		defer close(done)
		for try := range revokeTries {
			callCtx, cancel := context.WithTimeout(ctx, callTimeout)
			err := revoker.Revoke(callCtx, rt)
			cancel()
			if err == nil {
				return
			}
			k.cfg.Logger.WarnContext(ctx, "revocation failed", "provider", provider, "cause", err)
			if try == revokeTries-1 || !k.pause(ctx, time.Second<<try) {
				return
			}
		}
	})
	wait := time.NewTimer(revokeWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	}
}
