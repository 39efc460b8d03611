package e2e_test

import (
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// sharedStore is a real server where several processes keep their sessions.
type sharedStore struct {
	addr string
	at   func(addr string) string // the address as -store takes it, by way of addr

	refuseWrites, acceptWrites func()
	empty                      func() // as after a restart without its data
}

// onEachStore runs a test on Redis and on Postgres.
func onEachStore(t *testing.T, test func(t *testing.T, st *sharedStore)) {
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, startRedis(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, startPostgres(t))
	})
}

func startRedis(t testing.TB) *sharedStore {
	t.Helper()
	server := testserver.NewRedis(t)
	return &sharedStore{
		addr:         server.Addr(),
		at:           func(addr string) string { return "redis://" + addr + "/0" },
		refuseWrites: func() { server.Do("CONFIG", "SET", "min-replicas-to-write", "1") },
		acceptWrites: func() { server.Do("CONFIG", "SET", "min-replicas-to-write", "0") },
		empty:        server.Restart,
	}
}

func startPostgres(t testing.TB) *sharedStore {
	t.Helper()
	server := testserver.NewPostgres(t)
	pool, err := pgxpool.New(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	st := pgstore.New(pool, pgstore.Config{})
	defer st.Close()
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	setting := func(statement string) func() {
		return func() { server.Do(statement); server.Do("SELECT pg_reload_conf()") }
	}
	return &sharedStore{
		addr:         server.Addr(),
		at:           func(addr string) string { return testserver.Through(addr, server.URL()) },
		refuseWrites: setting("ALTER SYSTEM SET default_transaction_read_only = on"),
		acceptWrites: setting("ALTER SYSTEM RESET default_transaction_read_only"),
		empty:        func() { server.Do("TRUNCATE easyauth.entries") },
	}
}

// startSQLite is a file, which processes of one machine can share. There is no
// way to it that can be broken.
func startSQLite(t testing.TB) *sharedStore {
	file := "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
	return &sharedStore{addr: "127.0.0.1:0", at: func(string) string { return file }}
}
