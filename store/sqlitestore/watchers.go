package sqlitestore

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// watchers is who waits for a change of which key.
type watchers struct {
	mu   sync.Mutex
	keys map[string]*watched
	come chan struct{} // has a value when somebody has come and nobody was there
}

// watched is a key that somebody watches.
type watched struct {
	mark int64 // of the key, when it was last looked at; see marksSQL
	told map[chan struct{}]struct{}
}

func newWatchers() *watchers {
	return &watchers{keys: make(map[string]*watched), come: make(chan struct{}, 1)}
}

// add lets somebody watch key, whose mark was read before, until ctx ends.
func (w *watchers) add(ctx context.Context, key string, mark int64) <-chan struct{} {
	told := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.keys) == 0 {
		offer(w.come)
	}
	if w.keys[key] == nil {
		w.keys[key] = &watched{mark, make(map[chan struct{}]struct{}, 1)}
	}
	w.keys[key].told[told] = struct{}{}
	context.AfterFunc(ctx, func() { w.remove(key, told) })
	return told
}

func (w *watchers) remove(key string, told chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.keys[key].told, told); len(w.keys[key].told) == 0 {
		delete(w.keys, key)
	}
}

// list returns the keys that somebody watches.
func (w *watchers) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.keys))
}

// compare tells those whose key has another mark than before.
func (w *watchers) compare(keys []string, marks []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, key := range keys {
		at := w.keys[key]
		if at == nil || at.mark == marks[i] {
			continue
		}
		at.mark = marks[i]
		for told := range at.told {
			offer(told)
		}
	}
}

// offer never waits: who was told and has not looked yet need not be told again.
func offer(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
