package pgstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener tells those who watch in this process of what any process changes.
//
// Who watches a key says so in the table of watches, where the statements that
// change an entry look before they notify, and says it again while it goes on.
// Notifications of all keys come in over one connection, which lives as long as
// somebody watches and a little longer.
type listener struct {
	store *Store
	dial  func(context.Context) (*pgx.Conn, error)
	life  context.Context // ends with the Store
	pace  pace

	mu       sync.Mutex
	closed   bool
	line     *line                                 // nil: nobody has watched for a while
	watchers map[string]map[chan struct{}]struct{} // by key
	deserted time.Time                             // when the last one left
}

// line is a connection to listen on, or the try to have one.
type line struct {
	settled chan struct{} // closed when it is known what became of the try
	err     error         // why it failed; to be read after settled
}

func newListener(life context.Context, s *Store, dial func(context.Context) (*pgx.Conn, error)) *listener {
	return &listener{store: s, dial: dial, life: life, pace: usualPace, watchers: make(map[string]map[chan struct{}]struct{})}
}

// watch returns when a notification of key would arrive.
func (l *listener) watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	told := make(chan struct{}, 1)
	line, err := l.join(key, told)
	if err != nil {
		return nil, err
	}
	forget := context.AfterFunc(ctx, func() { l.leave(key, told) })
	select {
	case <-line.settled:
		err = line.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		_, err = l.store.ask(ctx, l.store.sql.watch, []byte(key))
	}
	if err != nil {
		forget()
		l.leave(key, told)
		return nil, err
	}
	return told, nil
}

// join adds a watcher, and returns the line that it depends on.
func (l *listener) join(key string, told chan struct{}) (*line, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.New("the store is closed")
	}
	if l.watchers[key] == nil {
		l.watchers[key] = make(map[chan struct{}]struct{})
	}
	l.watchers[key][told] = struct{}{}
	if l.line == nil {
		l.line = &line{settled: make(chan struct{})}
		l.store.working.Go(l.run)
	}
	return l.line, nil
}

func (l *listener) leave(key string, told chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers[key], told)
	if len(l.watchers[key]) == 0 {
		delete(l.watchers, key)
	}
	if len(l.watchers) == 0 {
		l.deserted = time.Now()
	}
}

// keys returns what is watched.
func (l *listener) keys() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.watchers))
}

// tell wakes those who watch key.
func (l *listener) tell(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wake(l.watchers[key])
}

// tellAll wakes everybody: something may have happened that nobody has heard of.
func (l *listener) tellAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, watchers := range l.watchers {
		wake(watchers)
	}
}

// wake never waits: who has not yet seen the last call is awake already.
func wake(watchers map[chan struct{}]struct{}) {
	for told := range watchers {
		select {
		case told <- struct{}{}:
		default:
		}
	}
}

// close lets nobody watch any longer. What runs ends with the Store.
func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
