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
// its lease may have the only living refresh token in its hands.
func (k *Keeper) commit(ctx context.Context, g *Grant, audience Audience, policy providers.RefreshPolicy, presented *record, t *providers.Tokens, began time.Time, took time.Duration) (*record, error) {
	next := presented
	apply := func(cur *record) *record {
		next = cur.clone()
		next.apply(g.key, audience, policy, t, began)
		return next
	}
	committed, unstored := k.tryCommit(ctx, g.key, presented.Gen, apply)
	switch {
	case unstored != nil:
		// The store fails after the provider answered. The tokens are served
		// from here, and the commit is tried until it succeeds or the grant
		// moves on (below); losing them would lose the login.
		k.cfg.Logger.ErrorContext(ctx, "refresh not stored yet", "provider", g.owner.Provider,
			"session", g.owner.SessionID, "cause", unstored)
		if next == presented {
			apply(presented)
		}
		committed = next
	case committed == nil:
		k.revokeNewborn(ctx, g, presented, t)
		return nil, ErrSessionEnded
	case committed != next:
		return nil, nil // another answer to the same generation was first
	}

	if err := k.identify(ctx, g, committed, t); err != nil {
		return nil, err
	}
	if unstored != nil { // not before it is certain that the tokens are this user's
		k.background(func() { k.retryCommit(ctx, g, presented.Gen, apply, t) })
	}
	a := committed.Access[audience.key()]
	k.cfg.Logger.InfoContext(ctx, "refreshed", "provider", g.owner.Provider, "session", g.owner.SessionID,
		"generation", committed.Gen, "expires", a.ExpiresAt, "took", took)
	if k.cfg.Refreshed != nil {
		k.cfg.Refreshed(ctx, g.owner, Outcome{ExpiresAt: a.ExpiresAt, Took: took})
	}
	return committed, nil
}

// tryCommit writes apply's result if the record is still of generation gen. It
// returns what is in the store afterwards; nil means that the login ended.
func (k *Keeper) tryCommit(ctx context.Context, key string, gen uint64, apply func(*record) *record) (*record, error) {
	for {
		cur, entry, err := k.load(ctx, key)
		if err != nil {
			return nil, err
		}
		if cur == nil || cur.Gen != gen {
			return cur, nil
		}
		next := apply(cur)
		// The record outlives the longest session that this refresh can renew.
		if until := entry.Now.Add(k.cfg.Retention); until.After(entry.ExpiresAt) {
			entry.ExpiresAt = until
		}
		_, err = k.save(ctx, key, next, entry)
		if errors.Is(err, store.ErrConflict) {
			continue
		} else if err != nil {
			return nil, err
		}
		return next, nil
	}
}

// retryCommit is the escrow of an answer that the store did not take.
func (k *Keeper) retryCommit(ctx context.Context, g *Grant, gen uint64, apply func(*record) *record, t *providers.Tokens) {
	wait := 100 * time.Millisecond
	for k.pause(ctx, wait) {
		committed, err := k.tryCommit(ctx, g.key, gen, apply)
		if err == nil {
			if committed == nil {
				k.revoke(ctx, g.owner.Provider, t.RefreshToken)
			}
			k.cfg.Logger.InfoContext(ctx, "refresh stored at last", "provider", g.owner.Provider, "session", g.owner.SessionID)
			return
		}
		wait = min(wait*2, 5*time.Second)
	}
	// The process ends: one last try, whatever the clock says.
	if _, err := k.tryCommit(ctx, g.key, gen, apply); err != nil {
		k.cfg.Logger.ErrorContext(ctx, "refresh lost: the store did not take it before the process ended",
			"provider", g.owner.Provider, "session", g.owner.SessionID, "cause", err)
	}
}

// apply is what an answer of the token endpoint does to a record.
func (r *record) apply(key string, audience Audience, p providers.RefreshPolicy, t *providers.Tokens, began time.Time) {
	r.Gen++
	r.Attempt = nil
	r.Backoff = backoff{}
	r.Dead = ""
	r.RefreshedAt = began
	rotated := !t.RefreshToken.IsZero() && t.RefreshToken.Reveal() != r.RefreshToken
	if rotated {
		r.RefreshToken = t.RefreshToken.Reveal()
	}
	switch {
	case t.RefreshExpiresIn > 0:
		r.RefreshExpiresAt = began.Add(t.RefreshExpiresIn)
		r.Warned = r.Warned && !rotated
	case p.Lifetime > 0 && (rotated || p.Sliding):
		r.RefreshExpiresAt = began.Add(p.Lifetime)
		r.Warned = false
	}
	if !t.IDToken.IsZero() {
		r.IDToken = t.IDToken.Reveal()
	}
	if audience == (Audience{}) && t.Scope != "" {
		r.Scope = t.Scope
	}
	a := access{Token: t.AccessToken.Reveal(), Gen: r.Gen, Scope: t.Scope, IssuedAt: began}
	a.age(t.ExpiresIn, t.RefreshIn, key, r.Gen)
	r.keep(audience.key(), a)
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
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	id, err := v.VerifyRefreshed(ctx, t.IDToken, g.owner.Identity)
	if err == nil {
		if k.cfg.Identified != nil {
			k.cfg.Identified(ctx, g.owner, id)
		}
		return nil
	}
	k.cfg.Logger.WarnContext(ctx, "refreshed ID token not accepted", "provider", g.owner.Provider,
		"session", g.owner.SessionID, "cause", err)
	var pe *providers.Error
	if !errors.As(err, &pe) || pe.Kind != providers.Mismatch {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if err := k.end(ctx, g.key, g.owner.Provider, providers.NewSecret(committed.RefreshToken)); err != nil {
		k.cfg.Logger.ErrorContext(ctx, "grant of a changed identity not deleted", "session", g.owner.SessionID, "cause", err)
	}
	if k.cfg.Expelled != nil {
		k.cfg.Expelled(ctx, g.owner)
	}
	return &ReauthError{Reason: providers.Mismatch.String()}
}

// revokeNewborn gets rid of a refresh token whose login ended while it was made.
func (k *Keeper) revokeNewborn(ctx context.Context, g *Grant, presented *record, t *providers.Tokens) {
	newborn := t.RefreshToken
	if newborn.IsZero() {
		newborn = providers.NewSecret(presented.RefreshToken)
	}
	k.revoke(ctx, g.owner.Provider, newborn)
}
