package grant

import (
	"context"
	"time"
)

// ReauthAt returns when the refresh token dies, if that is so near that the
// user should be asked to sign in again in time; otherwise the zero time.
func (g *Grant) ReauthAt(ctx context.Context) time.Time {
	rec, now, err := g.look(ctx)
	if err != nil || !g.keeper.reauthSoon(rec, now) {
		return time.Time{}
	}
	return rec.RefreshExpiresAt
}

// reauthSoon reports whether the refresh token has at most the notice left: 7
// days, or a tenth of its life if that is less.
func (k *Keeper) reauthSoon(r *record, now time.Time) bool {
	if r.RefreshToken == "" || r.RefreshExpiresAt.IsZero() {
		return false
	}
	notice := k.cfg.ReauthNotice
	if notice <= 0 {
		notice = min(7*24*time.Hour, r.RefreshExpiresAt.Sub(r.RefreshedAt)/10)
	}
	return r.RefreshExpiresAt.Sub(now) <= notice
}

// warn tells ReauthSoon, once per refresh token and in one process only.
func (k *Keeper) warn(ctx context.Context, g *Grant, rec *record, now time.Time) {
	if rec.Warned || k.cfg.ReauthSoon == nil || !k.reauthSoon(rec, now) {
		return
	}
	ctx = context.WithoutCancel(ctx)
	k.spawn(func() {
		cur, entry, err := k.load(ctx, g.key)
		if err != nil || cur == nil || cur.Warned || !k.reauthSoon(cur, entry.Now) {
			return
		}
		next := cur.clone()
		next.Warned = true
		if _, err := k.save(ctx, g.key, next, entry); err == nil {
			k.cfg.ReauthSoon(ctx, g.owner, Outcome{ExpiresAt: next.RefreshExpiresAt})
		}
	})
}
