package grant

import (
	"cmp"
	"container/list"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// gate stands before one provider and lets the calls of this process through:
// never more than its limit at once, first come first served, and none for a
// while when the provider fails. It is a value of its process; what other
// processes do shows in what the provider answers.
//
//   - The limit begins at rampFrom and grows by one with every answer, up to
//     what is configured: neither a process that starts nor a provider that comes
//     back is met by all users at once.
//   - When tripAfter grants in a row had no answer worth the name, the gate
//     closes, for longer each time. Then it lets one call through, and what comes
//     of that decides.
//
// A grant that waits has written nothing anywhere: no lease runs out in a queue.
type gate struct {
	provider string
	most     int // the limit's own limit
	stop     <-chan struct{}
	log      *slog.Logger

	mu      sync.Mutex
	limit   int
	inside  int       // calls that are let through now, errands among them
	errands int       // of those
	queue   list.List // of *turn: refreshes
	behind  list.List // of *turn: errands, which go when nobody else waits

	setbacks []setback // since the last answer, of different grants
	closings int       // in a row
	until    time.Time // closed until then; zero: open
	probing  bool      // the one call after that is under way
	era      int       // of the gate: what a call of an earlier one brought says nothing about this one
}

// setback is a call that failed for a reason that is likely to be everybody's.
type setback struct {
	grant      string
	retryAfter time.Duration
}

const (
	rampFrom = 4
	// tripAfter different grants in a row: one user whose token always fails, or
	// who is asked for by the provider to slow down, silences nobody else.
	tripAfter = 5
	// queueTime is how long a turn is waited for (docs/threats.md DOS5); nobody
	// waits for an errand.
	queueTime  = 10 * time.Second
	errandTime = 2 * time.Minute
	// errandLast is how long an errand is waited for when the process ends.
	errandLast = 5 * time.Second
	// A closed gate lets one call through at the latest closedMost after it let
	// the last one through, so that everybody is served again half a minute after
	// the provider is (docs/threats.md R9).
	closedFirst = time.Second
	closedMost  = 20 * time.Second
)

func newGate(provider string, most int, stop <-chan struct{}, log *slog.Logger) *gate {
	return &gate{provider: provider, most: most, limit: min(rampFrom, most), stop: stop, log: log}
}

// closedFor is how long nobody is let through.
func (g *gate) closedFor() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left()
}

func (g *gate) left() time.Duration {
	if g.until.IsZero() {
		return 0
	}
	return max(time.Until(g.until), 0)
}

// enter lets t through or puts it into its queue.
func (g *gate) enter(t *turn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if left := g.left(); left > 0 {
		return transient(ReasonBreaker, left, nil)
	}
	t.called, t.refused = make(chan struct{}), nil
	t.waits = t.lane().PushBack(t)
	g.serve()
	return nil
}

// serve lets through whom there is room for.
func (g *gate) serve() {
	for g.left() == 0 {
		halfOpen := !g.until.IsZero()
		switch {
		case halfOpen && g.probing, !halfOpen && g.inside >= g.limit:
			return
		case g.queue.Len() > 0:
			g.admit(g.queue.Front().Value.(*turn))
		case g.behind.Len() > 0 && (halfOpen || g.errands < max(g.limit/4, 1)):
			g.admit(g.behind.Front().Value.(*turn))
		default:
			return
		}
	}
}

func (g *gate) admit(t *turn) {
	t.lane().Remove(t.waits)
	t.waits = nil
	t.inside, t.era = true, g.era
	g.inside++
	if t.errand {
		g.errands++
	}
	if !g.until.IsZero() {
		t.probe, g.probing = true, true
	}
	close(t.called)
}

// leave lets t out and the next one in.
func (g *gate) leave(t *turn) {
	g.inside--
	if t.errand {
		g.errands--
	}
	if t.probe && t.era == g.era {
		g.probing = false
	}
	t.inside, t.probe = false, false
	g.serve()
}

// answered notes that the provider answered, whatever it said.
func (g *gate) answered(t *turn) {
	g.setbacks = g.setbacks[:0]
	if t.probe {
		g.log.Info("provider answers again", "provider", g.provider)
		g.closings, g.until, g.limit = 0, time.Time{}, min(rampFrom, g.most)
		g.probing = false
		g.era++
		return
	}
	g.limit = min(g.limit+1, g.most)
}

// failed notes a call that had no answer worth the name.
func (g *gate) failed(t *turn, f failure) {
	g.setbacks = slices.DeleteFunc(g.setbacks, func(s setback) bool { return s.grant == t.grant })
	if len(g.setbacks) == tripAfter {
		g.setbacks = slices.Delete(g.setbacks, 0, 1)
	}
	g.setbacks = append(g.setbacks, setback{t.grant, f.retryAfter})
	if t.probe || len(g.setbacks) == tripAfter {
		g.close(f)
	}
}

// close keeps everybody out, for a time drawn by lot out of a range that doubles
// (less what the last call took), or for as long as all that failed were asked to
// stay away.
func (g *gate) close(f failure) {
	longest := min(closedFirst<<min(g.closings, 10), closedMost)
	asked := slices.MinFunc(g.setbacks, func(a, b setback) int { return cmp.Compare(a.retryAfter, b.retryAfter) })
	wait := max(rand.N(longest)+1-f.took, closedFirst, asked.retryAfter)
	g.until, g.probing = time.Now().Add(wait), false
	g.closings++
	g.era++
	g.log.Warn("provider left alone", "provider", g.provider, "reason", f.kind.String(), "for", wait)
	for _, lane := range []*list.List{&g.queue, &g.behind} {
		for lane.Len() > 0 {
			t := lane.Remove(lane.Front()).(*turn)
			t.waits, t.refused = nil, transient(ReasonBreaker, wait, nil)
			close(t.called)
		}
	}
}

// wait waits until t is called, and reports what for.
func (g *gate) wait(ctx context.Context, t *turn) error {
	timeout := time.NewTimer(t.patience)
	defer timeout.Stop()
	var left error
	select {
	case <-t.called:
	case <-timeout.C:
		left = transient(ReasonBusy, time.Second, nil)
	case <-ctx.Done():
		left = transient(ReasonBusy, time.Second, ctx.Err())
	case <-g.stop:
		left = transient(ReasonClosing, 0, nil)
		if t.errand { // nobody does it once this process is gone
			timeout.Reset(errandLast)
			select {
			case <-t.called:
			case <-timeout.C:
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.waits != nil { // nobody called before we left
		t.lane().Remove(t.waits)
		t.waits = nil
		return left
	}
	return t.refused
}
