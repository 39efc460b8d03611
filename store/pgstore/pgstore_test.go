package pgstore_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	run := func(name string, open func(t *testing.T) store.Store) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, open)
		})
	}
	direct := migrated(t, server.NewDatabase())
	run("directly", func(t *testing.T) store.Store { return open(t, direct, pgstore.Config{}) })

	shared := migrated(t, server.NewDatabase())
	run("between two handles", func(t *testing.T) store.Store {
		return &alternating{stores: [2]*pgstore.Store{open(t, shared, pgstore.Config{}), open(t, shared, pgstore.Config{})}}
	})

	// Few connections, so that they change hands all the time.
	pooled := migrated(t, server.NewDatabase())
	pooler := testserver.NewPgBouncer(t, pooled, "default_pool_size = 3")
	run("through PgBouncer", func(t *testing.T) store.Store {
		return &alternating{stores: [2]*pgstore.Store{open(t, pooler.URL(), pgstore.Config{}), open(t, pooler.URL(), pgstore.Config{})}}
	})
	run("through PgBouncer, listening past it", func(t *testing.T) store.Store {
		return open(t, pooler.URL(), pgstore.Config{
			Listen: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, pooled) },
		})
	})

	// As a careful administrator may have set it for the whole database.
	strict := migrated(t, server.NewDatabase())
	do(t, raw(t, strict), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`)
	run("where transactions are serializable", func(t *testing.T) store.Store { return open(t, strict, pgstore.Config{}) })
}

func BenchmarkStore(b *testing.B) {
	server := testserver.NewPostgres(b)
	url := migrated(b, server.NewDatabase())
	b.Run("pgstore", func(b *testing.B) { storetest.Benchmark(b, open(b, url, pgstore.Config{})) })
	b.Run("PgBouncer", func(b *testing.B) {
		url := migrated(b, server.NewDatabase())
		storetest.Benchmark(b, open(b, testserver.NewPgBouncer(b, url).URL(), pgstore.Config{}))
	})
}

// alternating sends every call to the other of two stores on one database.
type alternating struct {
	stores [2]*pgstore.Store
	calls  atomic.Int64
}

func (a *alternating) next() *pgstore.Store { return a.stores[a.calls.Add(1)%2] }

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
