package grant

import (
	"container/list"
	"context"
	"time"
)

// turn is one flight's, or one errand's, place at a gate. One goroutine uses it;
// while it waits in a queue it is the gate's.
type turn struct {
	gate     *gate
	grant    string
	errand   bool
	patience time.Duration

	waits   *list.Element // in a queue; nil: called
	called  chan struct{} // closed when it is let through or refused
	refused error
	inside  bool
	probe   bool // the one call that decides whether the gate opens
	era     int  // of the gate when it was let through
}

// turn is a place for the refresh of one grant.
func (g *gate) turn(grant string) *turn { return &turn{gate: g, grant: grant, patience: queueTime} }

// errandTurn is a place for what can wait: it goes when no refresh does, and one
// in four at most is such. It may find a closed gate still closed, and closes none.
func (g *gate) errandTurn() *turn { return &turn{gate: g, errand: true, patience: errandTime} }

// take waits until the turn has come, and reports whether it had to wait. A turn
// that has come stays so until done or leave. The error is an ErrTransient.
func (t *turn) take(ctx context.Context) (waited bool, err error) {
	if t.inside {
		return false, nil
	}
	if err := t.gate.enter(t); err != nil {
		return false, err
	}
	select {
	case <-t.called:
	default:
		waited = true
	}
	return waited, t.gate.wait(ctx, t)
}

// done leaves the gate after a call that was sent then, and tells what came of it.
func (t *turn) done(sent time.Time, err error) {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	if t.era == t.gate.era {
		switch f := failureOf(err, time.Since(sent)); {
		case err == nil || !f.everybodys():
			t.gate.answered(t)
		case t.probe || !t.errand:
			t.gate.failed(t, f)
		}
	}
	t.gate.leave(t)
}

// leave gives the turn up unused, if it has come.
func (t *turn) leave() {
	if !t.inside {
		return
	}
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	t.gate.leave(t)
}

// lane is the queue of turns like t.
func (t *turn) lane() *list.List {
	if t.errand {
		return &t.gate.behind
	}
	return &t.gate.queue
}
