package pgstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// G26: the rows of sessions that nobody asks for again are removed.
func TestExpiredRowsAreRemoved(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	s := open(t, url, pgstore.Config{})
	conn := raw(t, url)
	kept := save(t, s, "kept", "value", "tag")
	const spent = 1201 // more than two batches
	do(t, conn, `
		INSERT INTO easyauth.entries (key, version, expires_at, tags, value)
		SELECT 'spent:' || n, n, now() - interval '61 minutes', ARRAY['tag'], '' FROM generate_series(1, $1::integer) AS n`, spent)
	do(t, conn, "INSERT INTO easyauth.watches (key, until) VALUES ('left', now()), ('watched', now() + interval '20 seconds')")

	// Another replica is sweeping, or somebody is writing, and takes its time.
	other, err := raw(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), "SELECT FROM easyauth.entries WHERE key IN ('spent:1', 'kept') FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := ask[int](t, conn, "SELECT count(*) FROM easyauth.entries"); n != 2 {
			t.Errorf("%d rows left, want the one that is locked and the one that is alive", n)
		}
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if key := ask[string](t, conn, "SELECT string_agg(key, ' ') FROM easyauth.entries"); key != "kept" {
		t.Errorf("left: %s", key)
	}
	if key := ask[string](t, conn, "SELECT string_agg(key, ' ') FROM easyauth.watches"); key != "watched" {
		t.Errorf("watches left: %s", key)
	}
	if e := load(t, s, "kept"); e.Version != kept.Version {
		t.Errorf("version %d, want %d", e.Version, kept.Version)
	}
}

// An entry that is extended leaves the reach of the sweep, and one that is not
// due yet is not in it, whatever the time zone of the connection.
func TestSweepSparesTheLiving(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t, "timezone=Pacific/Kiritimati")
	url := migrated(t, server.NewDatabase())
	s := open(t, url, pgstore.Config{})
	conn := raw(t, url)
	var saved []store.Entry
	lives := []time.Duration{2 * time.Second, time.Minute, time.Hour, 13 * time.Hour, 15 * time.Hour, 1000 * time.Hour}
	for i, life := range lives {
		key := fmt.Sprint("key:", i)
		do(t, conn, "INSERT INTO easyauth.entries (key, version, expires_at, value) VALUES ($1, 7, now() - interval '3 days', '')", key)
		e, err := s.Save(t.Context(), key, store.Entry{ExpiresAt: time.Now().Add(life)})
		if err != nil {
			t.Fatal(err)
		}
		saved = append(saved, e)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, conn, "SELECT count(*) FROM easyauth.entries"); n != len(lives) {
		t.Errorf("%d rows left of %d", n, len(lives))
	}
	for i, want := range saved[1:] {
		if e := load(t, s, fmt.Sprint("key:", i+1)); e.Version != want.Version {
			t.Errorf("the entry that lives for %v has version %d, want %d", lives[i+1], e.Version, want.Version)
		}
	}
}
