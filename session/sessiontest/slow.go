package sessiontest

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// slow takes its time before each operation, so that those of several requests
// mix. What it answers is true at that moment.
type slow struct {
	inner store.Store
	most  time.Duration
}

var (
	_ store.Store    = slow{}
	_ store.TagIndex = slow{}
	_ store.Watcher  = slow{}
)

func (s slow) pause() { time.Sleep(rand.N(s.most)) }

// Load implements store.Store.
func (s slow) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	s.pause()
	return s.inner.Load(ctx, keys...)
}

// Save implements store.Store.
func (s slow) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	s.pause()
	return s.inner.Save(ctx, key, e)
}

// Delete implements store.Store.
func (s slow) Delete(ctx context.Context, key string) error {
	s.pause()
	return s.inner.Delete(ctx, key)
}

// Tagged implements store.TagIndex.
func (s slow) Tagged(ctx context.Context, tag string) ([]string, error) {
	s.pause()
	return store.Tagged(ctx, s.inner, tag)
}

// Watch implements store.Watcher.
func (s slow) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	s.pause()
	return store.Watch(ctx, s.inner, key)
}
