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
			return nil, transient(ReasonHeld, time.Second, nil)
		case <-ctx.Done():
			return nil, transient(ReasonCancelled, 0, ctx.Err())
		}
		if c.err != nil {
			return nil, c.err
		}
		if w(c.rec, k.clock.now()) {
			return c.rec, nil
		}
	}
	return nil, transient(ReasonHeld, time.Second, nil)
}

// refreshBehind joins or starts the refresh of one audience and does not wait.
// The refresh keeps the values of ctx, for tracing, but not its end: a client
// that goes away must not take the only living refresh token along.
func (k *Keeper) refreshBehind(ctx context.Context, g *Grant, audience Audience, w want) *call {
	detached := context.WithoutCancel(ctx)
	return k.flights.join(g.key, audience.key(), k.spawn, func() (*record, error) {
		// The budget of one flight: a wait for another process, one call, and
		// one more after a failure that certainly consumed nothing.
		ctx, cancel := context.WithTimeout(detached, 2*leaseTime)
		defer cancel()
		return k.refresh(ctx, g, audience, w)
	})
}

// refresh is the protocol: look at the record, and use it, wait, give up, or
// present the refresh token; then look again. What is known about a grant is in
// the record, so every process draws the same conclusion, and every step may be
// the last one of this process. The one exception is an answer that the store did
// not take: that is in escrow.
func (k *Keeper) refresh(ctx context.Context, g *Grant, audience Audience, w want) (*record, error) {
	us := k.client(g.owner.Provider)
	gate := k.gates[g.owner.Provider]
	turn := gate.turn(g.key)
	defer turn.leave()
	others := lookout{keeper: k, key: g.key}
	for ctx.Err() == nil {
		looked := time.Now()
		rec, entry, err := k.load(ctx, g.key)
		if err != nil {
			return nil, storeError(err)
		}
		now := entry.Now

		// Is there anything to do?
		if u := k.escrow.after(g.key, rec); u != nil {
			if w(u.rec, now) {
				return u.rec, nil
			}
			// Nobody presents the next refresh token before this one is stored.
			if err := k.deliver(ctx, g, u); err != nil {
				return nil, storeError(err)
			}
			continue
		}
		switch {
		case rec == nil:
			return nil, ErrSessionEnded
		case w(rec, now):
			return rec, nil // somebody else was faster
		}

		// May it be done now?
		if err := rec.refusal(now, us, audience.key()); err != nil {
			return nil, err
		}
		if wait := rec.Backoff.left(now); wait > 0 { // short: refusal lets no other pass
			turn.leave()
			if gate.closedFor() > 0 || !k.pause(ctx, wait) {
				return nil, rec.Backoff.err(now)
			}
			continue
		}
		policy := rec.known(us.policy)
		switch k.admit(rec.Attempt, now, policy) {
		case held:
			turn.leave()
			if rec.Attempt.astray(now) {
				if err := k.recall(ctx, g.key, rec, entry); err != nil {
					return nil, storeError(err)
				}
				continue
			}
			left := rec.Attempt.Deadline.Sub(now)
			if !others.wait(ctx, left) {
				return nil, transient(ReasonHeld, left, nil)
			}
			continue
		case inDoubt:
			return nil, rec.doubt(now, audience, policy)
		}
		if k.escrow.full() {
			return nil, storeError(errEscrowFull)
		}
		if waited, err := turn.take(ctx); err != nil {
			return nil, err
		} else if waited {
			continue // the queue was long enough for the record to change
		}

		// Do it: note it, send it, note what came of it.
		rec, err = k.begin(ctx, g.key, rec, entry, policy)
		switch {
		case errors.Is(err, store.ErrConflict):
			continue
		case err != nil:
			return nil, storeError(err)
		case overslept(looked):
			if err := k.release(ctx, g, rec, notSent); err != nil {
				return nil, err
			}
			continue
		}
		tokens, took, err := k.present(ctx, us.refresher, turn, audience, rec)
		// What was sent is answered for, however little time there is left.
		ctx := context.WithoutCancel(ctx)
		if err != nil {
			if err := k.settle(ctx, g, audience, policy, rec, err, took); err != nil {
				return nil, err
			}
			continue // not consumed, or overtaken: what to do now is in the record
		}
		rec, err = k.commit(ctx, g, &answer{g.key, rec, audience, us.policy, tokens, now}, took)
		if err != nil || rec != nil {
			return rec, err
		}
	}
	return nil, transient(ReasonHeld, time.Second, ctx.Err())
}

// admit asks the attempt in the record. One that seems to be over is waited for
// once more if the store's clock has just jumped ahead, unless a second
// presentation could do no harm: it may have begun a moment ago.
func (k *Keeper) admit(a *attempt, now time.Time, p providers.RefreshPolicy) admission {
	answer := a.admit(now, p)
	if answer != held && a.isLast(now, p) && k.clock.hasLeapt() {
		return held
	}
	return answer
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

// present sends the refresh token that begin returned, once. The call gets its
// whole time, whatever is left of the flight's.
func (k *Keeper) present(ctx context.Context, refresher providers.Refresher, t *turn, audience Audience, rec *record) (_ *providers.Tokens, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	sent := time.Now()
	defer func() { t.done(sent, err) }()
	tokens, err := refresher.Refresh(ctx, providers.RefreshRequest{
		RefreshToken: rec.secret(),
		Resource:     audience.resource,
		Scopes:       audience.list(),
	})
	return tokens, time.Since(sent), err
}

// settle notes a failure in the record and tells it to the caller; nil means
// that the record moved on meanwhile.
func (k *Keeper) settle(ctx context.Context, g *Grant, audience Audience, policy providers.RefreshPolicy, rec *record, cause error, took time.Duration) error {
	f, own := failureOf(cause, took), audience == Audience{}
	var err error
	switch {
	case f.kind == providers.Revoked, f.kind == providers.Interaction && own:
		err = k.bury(ctx, g, rec, f)
	case f.kind == providers.Interaction, f.kind == providers.Misconfigured && !own:
		// No consent for this audience, or none that the client may ask for; the
		// login goes on.
		err = k.refuse(ctx, g, rec, audience, f)
	case f.kind == providers.Misconfigured, f.kind == providers.NotSent, f.kind == providers.Busy, f.kind == providers.Unready,
		f.kind == providers.Gateway && policy.Class == providers.Reusable:
		err = k.release(ctx, g, rec, f)
	default:
		// The provider may have rotated, and the answer is lost.
		err = k.lose(ctx, g, rec, f)
	}
	k.tellFailed(ctx, g.owner, f.kind.String(), cause, took)
	return err
}
