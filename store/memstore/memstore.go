// Package memstore keeps entries in the memory of one process: for tests, for
// development, and for an application that runs as a single process and may
// sign everybody out when it restarts.
package memstore

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// Store is a [store.Store] in memory with both abilities, [store.TagIndex] and
// [store.Watcher]. It starts no goroutine: Load passes over expired entries, and
// now and then a Save sweeps them out, so that memory stays in proportion to the
// entries that are alive.
type Store struct {
	seed     maphash.Seed
	versions atomic.Uint64 // one counter for all keys: no key has a version twice
	shards   [shardCount]shard
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.TagIndex = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
)

// New returns an empty Store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].rows = make(map[string]row)
	}
	return s
}

// Load implements [store.Store]. It allocates nothing but the result.
func (s *Store) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: load: %w", err)
	}
	now := clock()
	entries := make([]store.Entry, len(keys))
	for i, key := range keys {
		entries[i].Now = now
		s.shard(key).load(key, &entries[i])
	}
	return entries, nil
}

// Save implements [store.Store].
func (s *Store) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return store.Entry{}, fmt.Errorf("memstore: save: %w", err)
	}
	e.Now, e.ExpiresAt = clock(), e.ExpiresAt.Round(0)
	if err := store.Check(key, e, e.Now); err != nil {
		return store.Entry{}, err
	}
	fresh := row{bytes.Clone(e.Value), slices.Clone(e.Tags), e.ExpiresAt, s.versions.Add(1)}
	if !s.shard(key).swap(key, e.Version, fresh, e.Now) {
		return store.Entry{}, store.ErrConflict
	}
	e.Version = fresh.version
	return e, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: delete: %w", err)
	}
	s.shard(key).delete(key)
	return nil
}

// Tagged implements [store.TagIndex]. It looks at every entry: signing somebody
// out everywhere is rare, and an index would cost every Save.
func (s *Store) Tagged(ctx context.Context, tag string) ([]string, error) {
	var keys []string
	now := clock()
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("memstore: tagged: %w", err)
		}
		keys = s.shards[i].tagged(keys, tag, now)
	}
	return keys, nil
}

// Watch implements [store.Watcher]. Expiry is not told: nobody looks until
// somebody asks. It costs Save and Load nothing while nobody watches.
func (s *Store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: watch: %w", err)
	}
	at := s.shard(key)
	told := at.watch(key)
	context.AfterFunc(ctx, func() { at.unwatch(key, told) })
	return told, nil
}

// Len returns how many entries are held in memory, including those that have
// expired and were not swept yet.
func (s *Store) Len() int {
	n := 0
	for i := range s.shards {
		n += s.shards[i].len()
	}
	return n
}

func (s *Store) shard(key string) *shard {
	return &s.shards[maphash.String(s.seed, key)%shardCount]
}

// clock is the wall clock, without the monotonic reading that no other backend
// could give.
func clock() time.Time { return time.Now().Round(0) }
