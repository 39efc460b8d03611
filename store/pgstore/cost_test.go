package pgstore_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// A signed-in request is one Load of two keys. The first use of a connection
// costs no more than the others.
func TestEachCallIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	for name, behind := range map[string]string{
		"server":    server.Addr(),
		"PgBouncer": testserver.NewPgBouncer(t, url).Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			proxy := testserver.NewProxy(t, behind)
			pool := newPool(t, testserver.Through(proxy.Addr(), url))
			if err := pool.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := openOn(t, pool, pgstore.Config{})
			var e store.Entry
			for _, c := range []struct {
				call string
				do   func() error
			}{
				{"Load of what is absent", func() error { _, err := s.Load(t.Context(), "one", "two"); return err }},
				{"Save of what is new", func() (err error) {
					e, err = s.Save(t.Context(), "one", store.Entry{Tags: []string{"tag"}, ExpiresAt: time.Now().Add(time.Hour)})
					return err
				}},
				{"Load", func() error { _, err := s.Load(t.Context(), "one", "two"); return err }},
				{"Save", func() error { _, err := s.Save(t.Context(), "one", e); return err }},
				{"Tagged", func() error { _, err := s.Tagged(t.Context(), "tag"); return err }},
				{"Check", func() error { return s.Check(t.Context()) }},
				{"Delete", func() error { return s.Delete(t.Context(), "one") }},
			} {
				before := proxy.RoundTrips()
				if err := c.do(); err != nil {
					t.Fatalf("%s: %v", c.call, err)
				}
				if n := proxy.RoundTrips() - before; n != 1 {
					t.Errorf("%s: %d round trips, want 1", c.call, n)
				}
			}
			if n := proxy.Connections(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

// Whoever gets the connection next must find it as if nobody had used it.
func TestConnectionsAreGivenBackAsTheyWere(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	pool := newPool(t, url+"&pool_max_conns=1")
	state := func() (state string) {
		t.Helper()
		const sql = `SELECT concat_ws(' ',
			(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
			(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_cursors WHERE name <> ''),
			(SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings), pg_backend_pid())`
		if err := pool.QueryRow(t.Context(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&state); err != nil {
			t.Fatal(err)
		}
		return state
	}
	before := state()
	if !strings.HasPrefix(before, "0 0 0 0 ") {
		t.Fatalf("a fresh connection has %s", before)
	}
	s := openOn(t, pool, pgstore.Config{})
	for _, call := range append(calls(s, "key"), s.Migrate, s.Sweep) {
		_ = call(t.Context())
	}
	if after := state(); after != before {
		t.Errorf("before %s, after %s", before, after)
	}
}

// A row that is replaced often must not fill the indexes with what it was, nor
// the table with dead rows that only a vacuum removes.
func TestReplacedRowsLeaveLittleBehind(t *testing.T) {
	t.Parallel()
	const rows, rounds = 50, 40
	server := testserver.NewPostgres(t, "autovacuum=off")
	url := migrated(t, server.NewDatabase())
	pool := newPool(t, url)
	s := openOn(t, pool, pgstore.Config{})
	conn := raw(t, url)
	var entries [rows]store.Entry
	for i := range entries {
		size := 1 << 10 // a session
		if i%2 == 1 {
			size = 3 << 10 // its tokens
		}
		e, err := s.Save(t.Context(), fmt.Sprint("key:", i), store.Entry{
			Value: bytes.Repeat([]byte("v"), size), ExpiresAt: time.Now().Add(3 * time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = e
	}
	sizes := func() (indexes, all int64) {
		t.Helper()
		return ask[int64](t, conn, "SELECT pg_indexes_size('easyauth.entries')"), ask[int64](t, conn, "SELECT pg_total_relation_size('easyauth.entries')")
	}
	indexes, all := sizes()
	var writing sync.WaitGroup
	for i := range entries {
		writing.Go(func() {
			hour := entries[i].ExpiresAt.Truncate(time.Hour)
			for n := range rounds { // each a little later, as a refresh does
				e := entries[i]
				e.ExpiresAt = hour.Add(time.Duration(n) * time.Minute)
				var err error
				if entries[i], err = s.Save(t.Context(), fmt.Sprint("key:", i), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	indexesThen, allThen := sizes()
	if indexesThen > indexes+64<<10 {
		t.Errorf("the indexes grew from %d to %d bytes", indexes, indexesThen)
	}
	const written = rows * rounds * 2 << 10
	if allThen-all > written/2 {
		t.Errorf("everything grew from %d to %d bytes, and %d were written", all, allThen, written)
	}
	pool.Close() // a connection tells its figures when it ends
	var updated, hot int64
	until(t, func() bool {
		err := conn.QueryRow(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'entries'").Scan(&updated, &hot)
		if err != nil {
			t.Fatal(err)
		}
		return updated == rows*rounds
	})
	if hot < updated*9/10 {
		t.Errorf("%d of %d updates without an index entry, want nine of ten", hot, updated)
	}
}

// R20.
func TestCloseLeavesNoGoroutine(t *testing.T) {
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	pool := newPool(t, url)
	ours := func() int {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return strings.Count(string(stacks), "created by github.com/goeasyauth/easyauth/store/pgstore.") +
			strings.Count(string(stacks), "created by sync.(*WaitGroup).Go in")
	}
	before := ours()
	for range 5 {
		s := pgstore.New(pool, pgstore.Config{})
		watch(t, s, "key")
		save(t, s, "key", "value")
		if err := s.Delete(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		if ours() <= before {
			t.Fatal("no goroutine was found: the test shows nothing")
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := ours(); n > before {
			t.Fatalf("%d goroutines after Close, %d before", n, before)
		}
	}
}

// Searches must not read the whole table.
func TestSearchesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	pool := newPool(t, url)
	s := openOn(t, pool, pgstore.Config{})
	conn := raw(t, url)
	do(t, conn, `
		INSERT INTO easyauth.entries (key, version, expires_at, tags, value)
		SELECT 'key:' || n, n, now() + interval '1 day', CASE WHEN n % 2 = 0 THEN ARRAY['tag:' || n] END, '' FROM generate_series(1, 20000) AS n`)
	do(t, conn, "ANALYZE easyauth.entries")
	if keys, err := s.Tagged(t.Context(), "tag:1000"); err != nil || len(keys) != 1 {
		t.Errorf("Tagged: %q, %v", keys, err)
	}
	if e := load(t, s, "key:1000"); e.Version != 1000 {
		t.Errorf("Load: version %d", e.Version)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	pool.Close() // a connection tells its figures when it ends
	for _, index := range []string{"entries_pkey", "entries_tags", "entries_due"} {
		until(t, func() bool {
			return ask[int](t, conn, "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1", index) > 0
		})
	}
}

// What notifications cost: a Save of what somebody watches, one where nobody
// does, and one that could not notify.
func BenchmarkNotify(b *testing.B) {
	server := testserver.NewPostgres(b, "fsync=on")
	url := migrated(b, server.NewDatabase()) + "&pool_max_conns=8"
	const keys = 8
	parallel := func(b *testing.B, s *pgstore.Store, kind string) {
		value := bytes.Repeat([]byte("t"), 3<<10)
		var i atomic.Int64
		b.SetParallelism(max(1, keys/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) {
			key := fmt.Sprint(kind, ":", i.Add(1)%keys, ":", time.Now().UnixNano())
			if kind == "watched" {
				watch(b, s, key)
			}
			e := store.Entry{Value: value, ExpiresAt: time.Now().Add(time.Hour)}
			for pb.Next() {
				var err error
				if e, err = s.Save(b.Context(), key, e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	muted := open(b, url, pgstore.Config{})
	muted.Mute()
	for range 2 { // in turns, because the machine may be busy with other things
		b.Run("muted", func(b *testing.B) { parallel(b, muted, "muted") })
		b.Run("nobody watches", func(b *testing.B) { parallel(b, open(b, url, pgstore.Config{}), "alone") })
		b.Run("watched", func(b *testing.B) { parallel(b, open(b, url, pgstore.Config{}), "watched") })
	}
}
