package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// want says whether a record has what a caller came for.
type want func(r *record, now time.Time) bool

// ensure returns a record that satisfies w, refreshing if need be. It waits at
// most budget, and stops waiting when ctx ends; the refresh goes on without it.
func (k *Keeper) ensure(ctx context.Context, g *Grant, audience Audience, w want, budget time.Duration) (*record, error) {
	timeout := time.NewTimer(budget)
	defer timeout.Stop()
	// More than one round only where somebody else's call wanted less.
	for range 3 {
		c := k.refreshBehind(ctx, g, audience, w)
		select {
		case <-c.done:
		case <-timeout.C:
			return nil, transient("held", time.Second, nil)
		case <-ctx.Done():
			return nil, transient("cancelled", 0, ctx.Err())
		}
		if c.err != nil {
			return nil, c.err
		}
		if w(c.rec, k.clock.now()) {
			return c.rec, nil
		}
	}
	return nil, transient("held", time.Second, nil)
}

// refreshBehind joins or starts the refresh of one audience and does not wait.
// The refresh keeps the values of ctx, for tracing, but not its end: a client
// that goes away must not take the only living refresh token along.
func (k *Keeper) refreshBehind(ctx context.Context, g *Grant, audience Audience, w want) *call {
	detached := context.WithoutCancel(ctx)
	return k.flights.join(g.key, audience.key(), k.spawn, func() (*record, error) {
		// The budget of one flight: a wait for another process, one call, and
		// one more after a failure that certainly consumed nothing.
		ctx, cancel := context.WithTimeout(detached, 2*(callTimeout+leaseMargin))
		defer cancel()
		return k.refresh(ctx, g, audience, w)
	})
}

// The poll of a record that another process holds (a Watcher may make it
// unnecessary one day).
const (
	pollFirst = 50 * time.Millisecond
	pollLast  = time.Second
)

// retryWithin is the longest back-off that a refresh sits out by itself.
const retryWithin = 2 * time.Second

// refresh is the protocol: look at the record, and use it, wait, give up, or
// present the refresh token; then look again. What is known about a grant is
// always and only in the record, so every process draws the same conclusion,
// and every step may be the last one of this process.
func (k *Keeper) refresh(ctx context.Context, g *Grant, audience Audience, w want) (*record, error) {
	refresher, policy, supported := k.refresher(g.owner.Provider)
	poll := pollFirst
	for {
		looked := time.Now()
		rec, entry, err := k.load(ctx, g.key)
		if err != nil {
			return nil, storeError(err)
		}
		now := entry.Now
		switch {
		case rec == nil:
			return nil, ErrSessionEnded
		case w(rec, now):
			return rec, nil // somebody else was faster
		}
		if err := rec.refusal(now, supported, audience.key()); err != nil {
			return nil, err
		}
		if wait := rec.Backoff.Until.Sub(now); wait > 0 { // short: refusal lets no other pass
			if !k.pause(ctx, wait) {
				return nil, rec.Backoff.err(now)
			}
			continue
		}

		switch rec.Attempt.admit(now, policy) {
		case held:
			if !k.pause(ctx, poll) {
				return nil, transient("held", rec.Attempt.Deadline.Sub(now), nil)
			}
			poll = min(poll*3/2, pollLast)
			continue
		case inDoubt:
			return nil, rec.doubt(now, audience, policy)
		}

		rec, err = k.begin(ctx, g.key, rec, entry, policy)
		if errors.Is(err, store.ErrConflict) {
			continue
		} else if err != nil {
			return nil, storeError(err)
		}
		if overslept(looked) {
			if err := k.release(ctx, g, rec, providers.NotSent, 0); err != nil {
				return nil, err
			}
			continue
		}
		rec, err = k.present(ctx, g, audience, refresher, policy, rec, now)
		if err != nil || rec != nil {
			return rec, err
		}
		// Not presented, not answered, or overtaken: what to do now is in the record.
	}
}

// refusal is why a record cannot be refreshed for an audience now, as far as the
// record itself tells; nil if it can. The back-off after a first failure is let pass if it is
// short enough to be sat out.
func (r *record) refusal(now time.Time, supported bool, audience string) error {
	if err := r.final(supported); err != nil {
		return err
	}
	if b := r.Refused[audience]; now.Before(b.Until) {
		return b.err(now)
	}
	if wait := r.Backoff.Until.Sub(now); wait > retryWithin || wait > 0 && r.Backoff.N > 1 {
		return r.Backoff.err(now)
	}
	return nil
}

// final is why a record can never be refreshed again; nil if it can.
func (r *record) final(supported bool) error {
	switch {
	case r.Dead != "":
		return &ReauthError{Reason: r.Dead}
	case !supported:
		return ErrUnsupported
	case r.RefreshToken == "":
		return ErrNoRefreshToken
	}
	return nil
}

// begin takes the lease on the record's generation and notes, in the same
// write, that its refresh token is about to be presented.
func (k *Keeper) begin(ctx context.Context, key string, rec *record, e store.Entry, p providers.RefreshPolicy) (*record, error) {
	next := rec.clone()
	next.Attempt = rec.Attempt.next(e.Now, p)
	_, err := k.save(ctx, key, next, e)
	if err == nil || errors.Is(err, store.ErrConflict) {
		return next, err
	}
	// The store may have written all the same and only its answer be lost. An
	// attempt of ours that is in there is ours to use; left alone, it would look
	// like a token in doubt.
	if rec, _, again := k.load(ctx, key); again == nil && rec != nil && rec.Attempt != nil && rec.Attempt.ID == next.Attempt.ID {
		return rec, nil
	}
	return nil, err
}

// overslept reports whether this process may have been frozen since then: the
// lease that it took may be over, and it must not send. Both clocks are asked,
// because monotonic time stands still in a suspended machine.
func overslept(since time.Time) bool {
	now := time.Now()
	return now.Sub(since) > leaseMargin || now.Round(0).Sub(since.Round(0)).Abs() > leaseMargin
}

// present sends the refresh token that begin returned, once, and settles what
// came of it. No record and no error mean: look again.
func (k *Keeper) present(ctx context.Context, g *Grant, audience Audience, refresher providers.Refresher, policy providers.RefreshPolicy, rec *record, began time.Time) (*record, error) {
	// The call gets its whole time, and what follows does not depend on it.
	ctx = context.WithoutCancel(ctx)
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sent := time.Now()
	tokens, err := refresher.Refresh(callCtx, providers.RefreshRequest{
		RefreshToken: providers.NewSecret(rec.RefreshToken),
		Resource:     audience.resource,
		Scopes:       audience.list(),
	})
	took := time.Since(sent)
	if err == nil {
		return k.commit(ctx, g, audience, policy, rec, tokens, began, took)
	}
	return nil, k.settle(ctx, g, audience, policy, rec, err, took)
}

// settle notes a failure in the record and tells it to the caller; nil means
// that the record moved on meanwhile.
func (k *Keeper) settle(ctx context.Context, g *Grant, audience Audience, policy providers.RefreshPolicy, rec *record, cause error, took time.Duration) error {
	kind, retryAfter := providers.Unknown, time.Duration(0)
	var pe *providers.Error
	if errors.As(cause, &pe) {
		kind, retryAfter = pe.Kind, pe.RetryAfter
	}
	var err error
	switch kind {
	case providers.Revoked:
		err = k.bury(ctx, g, rec, kind)
	case providers.Interaction:
		if audience == (Audience{}) {
			err = k.bury(ctx, g, rec, kind)
		} else { // consent is missing for this one; the login goes on
			err = k.refuse(ctx, g, rec, audience, kind)
		}
	case providers.Misconfigured:
		if audience == (Audience{}) {
			err = k.release(ctx, g, rec, kind, retryAfter)
		} else { // a resource or scope that the client may not ask for
			err = k.refuse(ctx, g, rec, audience, kind)
		}
	case providers.NotSent, providers.Busy, providers.Unready:
		err = k.release(ctx, g, rec, kind, retryAfter)
	case providers.Gateway:
		if policy.Class == providers.Reusable {
			err = k.release(ctx, g, rec, kind, retryAfter)
		} else {
			err = k.lose(ctx, g, rec, kind, retryAfter)
		}
	default:
		// The provider may have rotated, and the answer is lost.
		err = k.lose(ctx, g, rec, kind, retryAfter)
	}
	k.cfg.Logger.WarnContext(ctx, "refresh failed", "provider", g.owner.Provider, "session", g.owner.SessionID,
		"reason", kind.String(), "cause", cause, "took", took)
	if k.cfg.Failed != nil {
		k.cfg.Failed(ctx, g.owner, Outcome{Reason: kind.String(), Took: took})
	}
	return err
}

// doubt is what a caller is told whose refresh token may be consumed: wait, as
// long as waiting can help, and otherwise sign in again.
func (r *record) doubt(now time.Time, audience Audience, p providers.RefreshPolicy) error {
	if probeAt := r.Attempt.Deadline.Add(quarantine); !p.Wide && !r.Attempt.Probe {
		return transient("in_doubt", probeAt.Sub(now), nil)
	}
	if a := r.Access[audience.key()]; a.phase(now).usable() {
		return transient("in_doubt", a.ExpiresAt.Sub(now), nil)
	}
	return &ReauthError{Reason: "in_doubt"}
}

func storeError(err error) error {
	return errors.Join(ErrStore, err)
}
