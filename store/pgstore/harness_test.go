package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// newPool returns a pool that makes no round trips of its own.
func newPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// open returns a Store on tables that are there.
func open(t testing.TB, url string, cfg pgstore.Config) *pgstore.Store {
	t.Helper()
	return openOn(t, newPool(t, url), cfg)
}

func openOn(t testing.TB, pool *pgxpool.Pool, cfg pgstore.Config) *pgstore.Store {
	t.Helper()
	s := pgstore.New(pool, cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrated makes the tables and returns the address they are at.
func migrated(t testing.TB, url string) string {
	t.Helper()
	migrate(t, url, pgstore.Config{})
	return url
}

func migrate(t testing.TB, url string, cfg pgstore.Config) {
	t.Helper()
	if err := open(t, url, cfg).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func save(t testing.TB, s store.Store, key, value string, tags ...string) store.Entry {
	t.Helper()
	e, err := s.Save(t.Context(), key, store.Entry{Value: []byte(value), Tags: tags, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func load(t testing.TB, s store.Store, key string) store.Entry {
	t.Helper()
	entries, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return entries[0]
}

func watch(t testing.TB, s store.Store, key string) <-chan struct{} {
	t.Helper()
	told, err := store.Watch(t.Context(), s, key)
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func wantTold(t testing.TB, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
}

// raw is a connection past the Store, as another program has it.
func raw(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) (answer T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// until waits for what must happen within a while.
func until(t testing.TB, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
