package figures_test

import (
	"context"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/session/sessiontest"
	"github.com/goeasyauth/easyauth/store"
)

// interleavings lets requests, renewals, rotations and endings of many users
// fall together on three replicas. The users of both parts have the same names
// and the second leaves some signed in, so the order matters. A session here may
// be idle for 2,000 units, which must be longer than a machine stands still.
func interleavings(t *testing.T, on *server) {
	c := sessiontest.Config{
		Open:   func() store.Store { return patient{on.open(t, on.addr)} },
		Rounds: sized(48, 10_000),
		Unit:   5 * time.Millisecond,
	}
	t.Run("R5 logout against requests in flight", func(t *testing.T) { sessiontest.Endings(t, c) })
	t.Run("R6 slow requests against rotations", func(t *testing.T) { sessiontest.Rotations(t, c) })
}

// patient is a store whose calls take as long as they need. What is at stake is
// the order of what happens: a machine that stands still for a second must not
// look like a store that is down.
type patient struct{ inner store.Store }

var (
	_ store.Store    = patient{}
	_ store.TagIndex = patient{}
	_ store.Watcher  = patient{}
)

// Load implements store.Store.
func (p patient) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	return p.inner.Load(context.WithoutCancel(ctx), keys...)
}

// Save implements store.Store.
func (p patient) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	return p.inner.Save(context.WithoutCancel(ctx), key, e)
}

// Delete implements store.Store.
func (p patient) Delete(ctx context.Context, key string) error {
	return p.inner.Delete(context.WithoutCancel(ctx), key)
}

// Tagged implements store.TagIndex.
func (p patient) Tagged(ctx context.Context, tag string) ([]string, error) {
	return store.Tagged(context.WithoutCancel(ctx), p.inner, tag)
}

// Watch implements store.Watcher.
func (p patient) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return store.Watch(ctx, p.inner, key)
}
