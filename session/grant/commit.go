package grant

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// commit stores what the provider answered, before anything else is done with
// it. It wins if the generation is still the one whose refresh token was
// presented, whoever holds the attempt by now: a process that was paused past
// its lease may have the only living refresh token in its hands. No record and no
// error mean that another answer to the same generation was first.
func (k *Keeper) commit(ctx context.Context, g *Grant, a *answer, took time.Duration) (*record, error) {
	// Keys that are known tell at once whether the answer is about this user, so
	// that nobody sees somebody else's tokens; keys that have to be fetched first
	// must not keep the only living refresh token waiting.
	about := k.identify(ctx, g, a.tokens, identifyAtOnce)
	if about.ends() != "" {
		return nil, k.expel(ctx, g, about, a.on(a.presented))
	}
	rec, won, err := k.tryCommit(ctx, a)
	switch {
	case errors.Is(err, errSucceeded):
		return nil, ErrSessionEnded
	case err != nil:
		// The store fails after the provider answered. The tokens are served from
		// memory until it takes them; losing them would lose the login.
		k.cfg.Logger.ErrorContext(ctx, "refresh not stored yet", "provider", g.owner.Provider,
			"session", g.owner.SessionID, "cause", err)
		rec = a.on(a.presented)
	case rec == nil:
		k.renounce(ctx, g.owner.Provider, a.on(a.presented)) // nobody else ever hears of it
		return nil, ErrSessionEnded
	case !won:
		return nil, nil
	}

	if about.undecided() {
		about = k.identify(ctx, g, a.tokens, identifyTimeout)
		if about.ends() != "" {
			return nil, k.expel(ctx, g, about, rec)
		}
	}
	k.tellIdentified(ctx, g, about)
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
		if cur == nil && bytes.Equal(entry.Value, succeeded) {
			return nil, false, errSucceeded
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
