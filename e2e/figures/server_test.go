package figures_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// server is where the replicas of an application keep their sessions.
type server struct {
	addr string
	// open returns the store of one replica, with a client of its own, by way of
	// addr: the server's own address or that of a proxy before it.
	open func(t testing.TB, addr string) store.Store
	// tells: who waits for another replica is told, and need not look again and
	// again.
	tells bool
}

func startRedis(t testing.TB) *server {
	return &server{
		addr:  testserver.NewRedis(t).Addr(),
		open:  func(t testing.TB, addr string) store.Store { return openRedis(t, connectRedis(t, addr)) },
		tells: true,
	}
}

// startPostgres starts a PostgreSQL server with two databases, one that is
// reached directly and one behind a pooler, through which nobody can listen for
// changes.
func startPostgres(t testing.TB) (direct, pooled *server) {
	t.Helper()
	pg := testserver.NewPostgres(t)
	database := func() *server {
		url := pg.NewDatabase()
		if err := openPostgres(t, connectPostgres(t, url)).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return &server{addr: pg.Addr(), tells: true, open: func(t testing.TB, addr string) store.Store {
			return openPostgres(t, connectPostgres(t, testserver.Through(addr, url)))
		}}
	}
	direct, pooled = database(), database()
	pooled.addr, pooled.tells = testserver.NewPgBouncer(t, pg.URL()).Addr(), false
	return direct, pooled
}

func connectRedis(t testing.TB, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

func openRedis(t testing.TB, client *redis.Client) *redisstore.Store {
	s := redisstore.New(client)
	t.Cleanup(func() { s.Close() })
	return s
}

// connectPostgres returns a pool that makes no round trips of its own, as
// package pgstore advises.
func connectPostgres(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func openPostgres(t testing.TB, pool *pgxpool.Pool) *pgstore.Store {
	s := pgstore.New(pool, pgstore.Config{})
	t.Cleanup(func() { s.Close() })
	return s
}
