package grant

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// escrow keeps the answers that the store did not take, until it takes them or
// the grants they belong to move on or end. Each is the only living refresh token
// of a login, so requests of this process are served from here meanwhile.
type escrow struct {
	n       atomic.Int32 // of answers: most requests need to know no more
	mu      sync.Mutex
	answers map[string]*unstored // by grant
}

// unstored is an answer in escrow.
type unstored struct {
	*answer
	rec *record // what it makes of the record that is stored
}

// escrowMost bounds the escrow: while it is full nobody presents a refresh token
// whose answer may have to go there.
const escrowMost = 1024

var errEscrowFull = errors.New("too many answers wait to be stored")

func (e *escrow) full() bool { return e.n.Load() >= escrowMost }

// put takes an answer in. A former one of the same grant is of a generation that
// is over.
func (e *escrow) put(u *unstored) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answers == nil {
		e.answers = make(map[string]*unstored)
	}
	e.answers[u.key] = u
	e.n.Store(int32(len(e.answers)))
}

// after returns the answer that follows stored, a record as the store shows it;
// nil if there is none. A login that ended (nil) has none, whatever is in here.
func (e *escrow) after(key string, stored *record) *unstored {
	if stored == nil || e.n.Load() == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if u := e.answers[key]; u != nil && u.presented.Gen == stored.Gen {
		return u
	}
	return nil
}

// drop takes an answer out and reports whether it was still there: whoever gets
// true sees to what is left to do.
func (e *escrow) drop(u *unstored) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answers[u.key] != u {
		return false
	}
	delete(e.answers, u.key)
	e.n.Store(int32(len(e.answers)))
	return true
}

func (e *escrow) holds(u *unstored) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.answers[u.key] == u
}

// deliver tries once to store what is in escrow.
func (k *Keeper) deliver(ctx context.Context, g *Grant, u *unstored) error {
	stored, _, err := k.tryCommit(ctx, u.answer)
	if errors.Is(err, errSucceeded) {
		k.escrow.drop(u)
		return nil
	}
	if err != nil || !k.escrow.drop(u) {
		return err
	}
	if stored == nil { // ended meanwhile
		k.renounce(ctx, g.owner.Provider, u.rec)
		return nil
	}
	k.cfg.Logger.InfoContext(ctx, "refresh stored at last", "provider", g.owner.Provider, "session", g.owner.SessionID)
	return nil
}

// deliverAtLast delivers what is in escrow unless somebody else sees to it.
func (k *Keeper) deliverAtLast(ctx context.Context, g *Grant, u *unstored) {
	err := k.insist(ctx, func() error {
		if !k.escrow.holds(u) {
			return nil
		}
		return k.deliver(ctx, g, u)
	})
	if err != nil {
		k.cfg.Logger.ErrorContext(ctx, "refresh lost: the store did not take it before the process ended",
			"provider", g.owner.Provider, "session", g.owner.SessionID, "cause", err)
	}
}
