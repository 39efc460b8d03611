package storetest

import (
	"context"
	"sync/atomic"

	"github.com/goeasyauth/easyauth/store"
)

// Counting is a store that counts the calls which reach it, whether they
// succeed or not. It is safe for concurrent use.
type Counting struct {
	inner                       store.Store
	loads, keys, saves, deletes atomic.Int64
	tagged, watches             atomic.Int64
}

// Counts is how often each method of a [Counting] was called.
type Counts struct {
	Loads   int
	Keys    int // that those Loads asked for, altogether
	Saves   int
	Deletes int
	Tagged  int
	Watches int
}

var (
	_ store.Store    = (*Counting)(nil)
	_ store.TagIndex = (*Counting)(nil)
	_ store.Watcher  = (*Counting)(nil)
)

// NewCounting returns a store that counts its calls and passes them to inner.
func NewCounting(inner store.Store) *Counting { return &Counting{inner: inner} }

// Counts returns the calls since the start or the last Reset.
func (c *Counting) Counts() Counts {
	return Counts{
		Loads:   int(c.loads.Load()),
		Keys:    int(c.keys.Load()),
		Saves:   int(c.saves.Load()),
		Deletes: int(c.deletes.Load()),
		Tagged:  int(c.tagged.Load()),
		Watches: int(c.watches.Load()),
	}
}

// Reset sets all counts to zero and returns what they were. A call that is
// under way lands on one side or the other.
func (c *Counting) Reset() Counts {
	return Counts{
		Loads:   int(c.loads.Swap(0)),
		Keys:    int(c.keys.Swap(0)),
		Saves:   int(c.saves.Swap(0)),
		Deletes: int(c.deletes.Swap(0)),
		Tagged:  int(c.tagged.Swap(0)),
		Watches: int(c.watches.Swap(0)),
	}
}

// Load implements [store.Store].
func (c *Counting) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	c.loads.Add(1)
	c.keys.Add(int64(len(keys)))
	return c.inner.Load(ctx, keys...)
}

// Save implements [store.Store].
func (c *Counting) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	c.saves.Add(1)
	return c.inner.Save(ctx, key, e)
}

// Delete implements [store.Store].
func (c *Counting) Delete(ctx context.Context, key string) error {
	c.deletes.Add(1)
	return c.inner.Delete(ctx, key)
}

// Tagged implements [store.TagIndex] where the inner store does.
func (c *Counting) Tagged(ctx context.Context, tag string) ([]string, error) {
	c.tagged.Add(1)
	return store.Tagged(ctx, c.inner, tag)
}

// Watch implements [store.Watcher] where the inner store does. It counts who
// began to watch, not what they were told.
func (c *Counting) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	c.watches.Add(1)
	return store.Watch(ctx, c.inner, key)
}
