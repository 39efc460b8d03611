package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// lookEvery is how often the sessions with open streams are looked at, all of
// them together, whatever the store may have told.
const lookEvery = 10 * time.Second

// watches tell streams of this process that their sessions ended.
type watches struct {
	manager *Manager

	mu       sync.Mutex
	open     map[string]*watch  // by session id
	due      map[string]bool    // session ids to look at
	wake     chan struct{}      // of the look that runs: somebody is due
	stopLook context.CancelFunc // nobody is watched any more
}

// watch is what all streams of one session wait for.
type watch struct {
	ended   chan struct{}
	streams map[<-chan struct{}]bool // by how their contexts end
	stop    context.CancelFunc
}

func newWatches(m *Manager) *watches {
	return &watches{manager: m, open: make(map[string]*watch), due: make(map[string]bool)}
}

// join returns the channel that is closed when the session ends.
func (ws *watches) join(ctx context.Context, id string) <-chan struct{} {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.open[id]
	if w == nil {
		w = ws.begin(id)
	}
	if gone := ctx.Done(); !w.streams[gone] {
		w.streams[gone] = true
		context.AfterFunc(ctx, func() { ws.leave(id, w, gone) })
	}
	return w.ended
}

// begin opens the watch of one session.
func (ws *watches) begin(id string) *watch {
	if len(ws.open) == 0 {
		ctx, stop := context.WithCancel(ws.manager.background.ctx)
		wake := make(chan struct{}, 1)
		ws.wake, ws.stopLook = wake, stop
		ws.manager.background.spawn(func(context.Context) { ws.look(ctx, wake) })
	}
	ctx, stop := context.WithCancel(ws.manager.background.ctx)
	w := &watch{ended: make(chan struct{}), streams: make(map[<-chan struct{}]bool), stop: stop}
	ws.open[id] = w
	ws.manager.background.spawn(func(context.Context) { ws.listen(ctx, id) })
	return w
}

// listen has the session looked at whenever the store tells of a change.
func (ws *watches) listen(ctx context.Context, id string) {
	for {
		changed, err := store.Watch(ctx, ws.manager.store, sessionKey(id))
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		// The first look is for what happened before the watching began.
		for err == nil {
			ws.mark(id)
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
		select { // the store may watch another time
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return
		}
	}
}

// mark has the session looked at soon.
func (ws *watches) mark(id string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.due[id] = true
	select {
	case ws.wake <- struct{}{}:
	default: // it is awake
	}
}

// look reads the sessions that are due, and now and then all of them. There is
// one look at a time, however many sessions are watched and however much the
// store tells of them: what comes meanwhile is in the next one.
func (ws *watches) look(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var ids []string
		select {
		case <-wake:
			ids = ws.take(ctx, func(id string) bool { return ws.due[id] })
		case <-tick.C:
			ids = ws.take(ctx, func(string) bool { return true })
		case <-ctx.Done():
			return
		}
		sessions, err := ws.manager.loadAll(ctx, ids)
		if err != nil {
			continue // nothing is known, and nobody is told anything
		}
		for i, id := range ids {
			if sessions[i] == nil {
				ws.end(id)
			}
		}
	}
}

// take returns the ids of the watched sessions that want is true for. They are
// due no longer. A look that was stopped takes nothing from its successor.
func (ws *watches) take(ctx context.Context, want func(id string) bool) (ids []string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	for id := range ws.open {
		if want(id) {
			ids = append(ids, id)
		}
	}
	clear(ws.due)
	return ids
}

// end tells everybody who waits for it that the session ended.
func (ws *watches) end(id string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w := ws.open[id]; w != nil {
		close(w.ended)
		ws.drop(id, w)
	}
}

// leave ends the part of one stream in a watch.
func (ws *watches) leave(id string, w *watch, gone <-chan struct{}) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(w.streams, gone)
	if len(w.streams) == 0 && ws.open[id] == w {
		ws.drop(id, w)
	}
}

// drop closes the watch of one session.
func (ws *watches) drop(id string, w *watch) {
	delete(ws.open, id)
	w.stop()
	if len(ws.open) == 0 {
		ws.stopLook()
	}
}
