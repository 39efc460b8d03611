package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// commit stores what the provider answered, before anything else is done with
// it. It wins if the generation is still the one whose refresh token was
// presented, whoever holds the attempt by now: a process that was paused past
// its lease may have the only living refresh token in its hands. No record and no
// error mean that another answer to the same generation was first.
func (k *Keeper) commit(ctx context.Context, g *Grant, a *answer, took time.Duration) (*record, error) {
	rec, won, err := k.tryCommit(ctx, a)
	switch {
	case err != nil:
		// The store fails after the provider answered. The tokens are served from
		// memory until it takes them; losing them would lose the login.
		k.cfg.Logger.ErrorContext(ctx, "refresh not stored yet", "provider", g.owner.Provider,
			"session", g.owner.SessionID, "cause", err)
		rec = a.on(a.presented)
	case rec == nil:
		k.revoke(ctx, g.owner.Provider, a.on(a.presented).secret()) // nobody else ever hears of it
		return nil, ErrSessionEnded
	case !won:
		return nil, nil
	}

	if err := k.identify(ctx, g, rec, a.tokens); err != nil {
		return nil, err
	}
	if err != nil { // not before it is certain that the tokens are this user's
		u := &unstored{a, rec}
		k.escrow.put(u)
		k.background(func() { k.deliverAtLast(ctx, g, u) })
	}
	k.tellRefreshed(ctx, g.owner, rec, a.audience, took)
	return rec, nil
}

// tryCommit writes what the answer makes of the record if that is still of the
// generation that was presented. It returns what is in the store afterwards, nil
// for a login that ended, and whether that is the answer.
func (k *Keeper) tryCommit(ctx context.Context, a *answer) (rec *record, won bool, err error) {
	for {
		cur, entry, err := k.load(ctx, a.key)
		if err != nil {
			return nil, false, err
		}
		if cur == nil || cur.Gen != a.presented.Gen {
			return cur, false, nil
		}
		next := a.on(cur)
		// The record outlives the longest session that this refresh can renew.
		if until := entry.Now.Add(k.cfg.Retention); until.After(entry.ExpiresAt) {
			entry.ExpiresAt = until
		}
		_, err = k.save(ctx, a.key, next, entry)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		return next, err == nil, err
	}
}

// identifyTimeout bounds what happens between the commit and the answer.
const identifyTimeout = 5 * time.Second

// identify looks at the ID token that came with a refresh. An identity that
// changed ends the login; anything else that is wrong with it (keys that cannot
// be fetched, a clock that is off) leaves the claims as they were.
func (k *Keeper) identify(ctx context.Context, g *Grant, committed *record, t *providers.Tokens) error {
	v, ok := k.cfg.Providers[g.owner.Provider].(providers.Verifier)
	if !ok || t.IDToken.IsZero() {
		return nil
	}
	callCtx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	id, err := v.VerifyRefreshed(callCtx, t.IDToken, g.owner.Identity)
	if err == nil {
		if k.cfg.Identified != nil {
			k.cfg.Identified(ctx, g.owner, id)
		}
		return nil
	}
	k.cfg.Logger.WarnContext(ctx, "refreshed ID token not accepted", "provider", g.owner.Provider,
		"session", g.owner.SessionID, "cause", err)
	if pe, ok := errors.AsType[*providers.Error](err); !ok || pe.Kind != providers.Mismatch {
		return nil
	}
	if err := k.end(ctx, g.key, g.owner.Provider, committed.secret()); err != nil {
		k.cfg.Logger.ErrorContext(ctx, "grant of a changed identity not deleted yet", "session", g.owner.SessionID, "cause", err)
		k.spawn(func() {
			k.insist(ctx, func() error { return k.end(ctx, g.key, g.owner.Provider, committed.secret()) })
		})
	}
	if k.cfg.Expelled != nil {
		k.cfg.Expelled(ctx, g.owner)
	}
	return &ReauthError{Reason: ReasonMismatch}
}
