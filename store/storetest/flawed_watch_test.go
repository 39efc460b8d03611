package storetest_test

import (
	"context"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// telling is a flawed store that can be watched.
type telling struct {
	*flawed
	mu       sync.Mutex
	watchers map[string][]*watcher
}

type watcher struct {
	ctx  context.Context
	told chan struct{}
	deaf bool
}

func newTelling(flaw string) *telling {
	return &telling{flawed: newFlawed(flaw), watchers: make(map[string][]*watcher)}
}

func (s *telling) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if s.flaw == "tells before it writes" {
		s.tell(key)
		time.Sleep(20 * time.Millisecond)
		return s.flawed.Save(ctx, key, e)
	}
	saved, err := s.flawed.Save(ctx, key, e)
	if err == nil && s.flaw != "tells of deletions only" && (e.Version != 0 || s.flaw != "does not tell of creations") {
		s.tell(key)
	}
	return saved, err
}

func (s *telling) Delete(ctx context.Context, key string) error {
	err := s.flawed.Delete(ctx, key)
	if err == nil && s.flaw != "does not tell of deletions" {
		s.tell(key)
	}
	return err
}

func (s *telling) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil && s.flaw != "watches on after the context ended" {
		return nil, err
	}
	w := &watcher{ctx: ctx, told: make(chan struct{}, 1)}
	if s.flaw == "listens a moment later" {
		time.AfterFunc(20*time.Millisecond, func() { s.add(key, w) })
	} else {
		s.add(key, w)
	}
	context.AfterFunc(ctx, func() { s.leave(key, w) })
	if s.flaw == "leaves a goroutine behind" {
		go func() { select {} }()
	}
	return w.told, nil
}

func (s *telling) add(key string, w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[key] = append(s.watchers[key], w)
}

func (s *telling) leave(key string, w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flaw {
	case "tells on after the context ended":
		return
	case "closes the channel":
		close(w.told)
	case "forgets all when one leaves":
		clear(s.watchers)
	}
	w.deaf = true
}

func (s *telling) tell(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, w := range s.watchers[key] {
		switch {
		case w.deaf, s.flaw == "tells one watcher" && i > 0:
			continue
		case s.flaw == "waits for its watchers":
			w.told <- struct{}{}
			continue
		case s.flaw == "tells once":
			w.deaf = true
		}
		select {
		case w.told <- struct{}{}:
		default:
		}
	}
	if s.flaw == "loses a watcher to the next key" {
		for other := range s.watchers {
			if other != key {
				delete(s.watchers, other)
			}
		}
	}
}
