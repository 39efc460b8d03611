package sqlitestore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, newFile(t)) })
}

// Two handles are what two processes have, and the file outlives each case.
func TestContractBetweenTwoHandles(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		return &alternating{stores: [2]*sqlitestore.Store{open(t, path), open(t, path)}}
	})
}

func TestEntriesSurviveARestart(t *testing.T) {
	path := newFile(t)
	before, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	saved := save(t, before, "key", "value", "tag")
	deleted := save(t, before, "deleted", "value")
	if err := before.Delete(t.Context(), "deleted"); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}

	after := open(t, path)
	e := load(t, after, "key")
	if string(e.Value) != "value" || e.Version != saved.Version || len(e.Tags) != 1 || e.Tags[0] != "tag" {
		t.Errorf("loaded %q, version %d, tags %q; want what was saved, version %d", e.Value, e.Version, e.Tags, saved.Version)
	}
	e.Value = []byte("next")
	if _, err := after.Save(t.Context(), "key", e); err != nil {
		t.Errorf("Save with the version of before: %v", err)
	}
	if again := save(t, after, "deleted", "again"); again.Version == deleted.Version {
		t.Errorf("version %d came back", again.Version)
	}
}

// G26: the rows of sessions that nobody asks for again are removed, by whoever
// opens the file next at the latest.
func TestExpiredRowsAreRemoved(t *testing.T) {
	path := newFile(t)
	before := open(t, path)
	kept := save(t, before, "kept", "value", "tag")
	const expired = 1201 // more than two batches
	spent := save(t, before, "spent:0", "value", "tag")
	for i := range expired - 1 {
		save(t, before, fmt.Sprint("spent:", i+1), "value", "tag")
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, path, "UPDATE easyauth_entries SET expires_at = 1 WHERE key <> 'kept'")

	after := open(t, path)
	until(t, func() bool { return count(t, path, "easyauth_entries") == 1 })
	if n := count(t, path, "easyauth_tags"); n != 1 {
		t.Errorf("%d tags left, want 1", n)
	}
	if e := load(t, after, "kept"); e.Version != kept.Version {
		t.Errorf("version %d, want %d", e.Version, kept.Version)
	}
	if again := save(t, after, "spent:0", "again"); again.Version == spent.Version {
		t.Errorf("version %d came back", again.Version)
	}
}

func BenchmarkStore(b *testing.B) {
	b.Run("memstore", func(b *testing.B) { storetest.Benchmark(b, memstore.New()) })
	b.Run("sqlitestore", func(b *testing.B) { storetest.Benchmark(b, open(b, newFile(b))) })
	b.Run("sealed", func(b *testing.B) { storetest.Benchmark(b, seal(b, open(b, newFile(b)))) })
}

// alternating sends every call to the other of two stores on one file.
type alternating struct {
	stores [2]*sqlitestore.Store
	calls  atomic.Int64
}

func (a *alternating) next() *sqlitestore.Store { return a.stores[a.calls.Add(1)%2] }

func (a *alternating) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	return a.next().Load(ctx, keys...)
}

func (a *alternating) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	return a.next().Save(ctx, key, e)
}

func (a *alternating) Delete(ctx context.Context, key string) error {
	return a.next().Delete(ctx, key)
}

func (a *alternating) Tagged(ctx context.Context, tag string) ([]string, error) {
	return a.next().Tagged(ctx, tag)
}

func (a *alternating) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return a.next().Watch(ctx, key)
}
