package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// R7, R8: whatever becomes of the connections, a call ends by its deadline, says
// nothing that is not so, and works again when the network does.
func TestFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())

	// wounded returns a Store behind a proxy, with an entry under "key" and
	// connections that have worked.
	wounded := func(t *testing.T) (*pgstore.Store, *testserver.Proxy, string) {
		t.Helper()
		proxy := testserver.NewProxy(t, server.Addr())
		s := open(t, testserver.Through(proxy.Addr(), url), pgstore.Config{})
		key := "key:" + t.Name()
		save(t, s, key, "before")
		warm(t, s, 4)
		return s, proxy, key
	}
	const deadline = 300 * time.Millisecond

	t.Run("what takes too long ends with its context", func(t *testing.T) {
		for name, fault := range map[string]func(*testserver.Proxy){
			"delay":           func(p *testserver.Proxy) { p.Delay(time.Minute) },
			"answers delayed": func(p *testserver.Proxy) { p.DelayAnswers(time.Minute) },
			"half-open":       (*testserver.Proxy).HalfOpen,
		} {
			t.Run(name, func(t *testing.T) {
				s, proxy, key := wounded(t)
				fault(proxy)
				for _, call := range calls(s, key) {
					ctx, cancel := context.WithTimeout(t.Context(), deadline)
					began := time.Now()
					err := call(ctx)
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("error %v, want the deadline's", err)
					}
					if took := time.Since(began); took > 3*deadline {
						t.Errorf("%v after a deadline of %v", took, deadline)
					}
				}
				proxy.Heal()
				wantWorking(t, s, key)
			})
		}
	})

	t.Run("connections that died while they were idle cost no call", func(t *testing.T) {
		s, proxy, key := wounded(t)
		for range 3 {
			warm(t, s, 4)
			proxy.Cut()
			wantWorking(t, s, key)
			proxy.Cut()
			if keys, err := s.Tagged(t.Context(), "nobody's"); err != nil || keys != nil {
				t.Errorf("Tagged: %q, %v", keys, err)
			}
		}
	})

	t.Run("a server that is down fails calls at once and costs no conflict", func(t *testing.T) {
		s, proxy, key := wounded(t)
		proxy.Reset()
		for _, call := range calls(s, key) {
			began := time.Now()
			err := call(t.Context())
			if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrExpired) {
				t.Errorf("error %v, want the connection's", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%v until a call failed", took)
			}
		}
		proxy.Heal()
		wantWorking(t, s, key)
	})

	t.Run("a Save whose answer is lost knows its own write", func(t *testing.T) {
		s, proxy, key := wounded(t)
		before := load(t, s, key)

		proxy.LoseNextAnswer()
		next := before
		next.Value = []byte("replaced")
		replaced, err := s.Save(t.Context(), key, next)
		if err != nil {
			t.Fatalf("replace: %v", err)
		}
		if e := load(t, s, key); e.Version != replaced.Version || string(e.Value) != "replaced" {
			t.Errorf("stored %q, version %d; Save returned version %d", e.Value, e.Version, replaced.Version)
		}

		proxy.LoseNextAnswer()
		created := save(t, s, key+":new", "created")
		if e := load(t, s, key+":new"); e.Version != created.Version {
			t.Errorf("stored version %d, Save returned version %d", e.Version, created.Version)
		}

		proxy.LoseNextAnswer()
		if _, err := s.Save(t.Context(), key, before); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Save of a stale version: %v, want a conflict", err)
		}
	})

	t.Run("a Save whose answers are all lost is an outage and no conflict", func(t *testing.T) {
		s, proxy, key := wounded(t)
		e := load(t, s, key)
		proxy.LoseAnswers()
		if _, err := s.Save(t.Context(), key, e); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("Save: %v, want the connection's error", err)
		}
		proxy.Heal()
		if now := load(t, s, key); now.Version == e.Version {
			t.Error("the Save did not take place: the test shows nothing")
		}
	})

	t.Run("half an answer is none", func(t *testing.T) {
		s, proxy, key := wounded(t)
		save(t, s, key+":large", strings.Repeat("v", 100_000))
		for _, bytes := range []int{1, 100, 20_000} {
			proxy.Truncate(bytes)
			if entries, err := s.Load(t.Context(), key+":large"); err == nil && len(entries[0].Value) != 100_000 {
				t.Errorf("after %d bytes: %d bytes of the value and no error", bytes, len(entries[0].Value))
			}
			proxy.Heal()
			wantWorking(t, s, key)
		}
	})
}

// A pooler takes a call and then says that it has no server: to ask again does
// not help, and there is no end to it.
func TestPoolerWhoseServerIsDown(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	pooler := testserver.NewPgBouncer(t, url, "server_login_retry = 1", "query_wait_timeout = 1")
	s := open(t, pooler.URL(), pgstore.Config{})
	save(t, s, "key", "value")
	warm(t, s, 4)
	server.Kill()
	for _, call := range calls(s, "key") {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := call(ctx); err == nil || errors.Is(err, store.ErrConflict) || ctx.Err() != nil {
			t.Errorf("error %v, want the pooler's", err)
		}
		cancel()
	}
	server.Restart()
	until(t, func() bool { _, err := s.Load(t.Context(), "key"); return err == nil })
	wantWorking(t, s, "key")
}

// R7: sessions survive the end of the server, and its clients find it again.
func TestServerThatRestarts(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	s := open(t, migrated(t, server.NewDatabase()), pgstore.Config{})
	saved := make([]store.Entry, 20)
	for i := range saved {
		saved[i] = save(t, s, fmt.Sprint("key:", i), "before", "tag")
	}
	told := watch(t, s, "key:0")
	warm(t, s, 4)

	server.Kill()
	for _, call := range calls(s, "key:0") {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := call(ctx); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("while the server is down: %v", err)
		}
		cancel()
	}
	server.Restart()

	for i, want := range saved {
		key := fmt.Sprint("key:", i)
		e := load(t, s, key)
		if e.Version != want.Version || string(e.Value) != "before" {
			t.Fatalf("%s is %q, version %d, want version %d", key, e.Value, e.Version, want.Version)
		}
		if _, err := s.Save(t.Context(), key, e); err != nil {
			t.Errorf("Save with the version of before: %v", err)
		}
	}
	if keys, err := s.Tagged(t.Context(), "tag"); err != nil || len(keys) != len(saved) {
		t.Errorf("Tagged: %d keys, %v; want %d", len(keys), err, len(saved))
	}
	wantTold(t, told)
}

// R7: a server that takes no writes, as one that was the primary once.
func TestServerThatRefusesWrites(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	saved := save(t, open(t, url, pgstore.Config{}), "key", "value")
	set := func(value string) {
		do(t, raw(t, server.URL()), "ALTER DATABASE "+database(t, url)+" SET default_transaction_read_only = "+value)
	}
	set("on")
	s := open(t, url, pgstore.Config{})
	warm(t, s, 4)
	for _, call := range calls(s, "key")[1:] {
		if err := call(t.Context()); err == nil || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "connect to the primary") {
			t.Errorf("error %v, want that the server is read-only", err)
		}
	}
	if e := load(t, s, "key"); e.Version != saved.Version {
		t.Errorf("version %d, want %d", e.Version, saved.Version)
	}

	// The pool's connections do not notice, so the Store makes it open others.
	set("off")
	until(t, func() bool {
		_, err := s.Save(t.Context(), "key", saved)
		return err == nil
	})
}

func TestServerWithoutAFreeConnection(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t, "max_connections=6", "superuser_reserved_connections=0")
	url := migrated(t, server.NewDatabase())
	var hogs []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			break
		}
		hogs = append(hogs, conn)
	}
	s := open(t, url, pgstore.Config{})
	for _, call := range calls(s, "key") {
		began := time.Now()
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "53300") {
			t.Errorf("error %v, want that there are too many connections", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%v until a call failed", took)
		}
	}
	for _, conn := range hogs {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	until(t, func() bool { _, err := s.Load(t.Context(), "key"); return err == nil })
	save(t, s, "key", "value")
	wantWorking(t, s, "key")
}

// R22: a standby that takes over may not have heard of the last writes. Whoever
// holds the version of one of them must not take what is written in its place
// for it.
func TestVersionsThatAFailOverForgotAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	s := open(t, url, pgstore.Config{})
	conn := raw(t, url)
	first := save(t, s, "key", "first")
	given := map[uint64]bool{first.Version: true}
	for range 100 {
		forgotten, err := s.Save(t.Context(), "key", first)
		if err != nil {
			t.Fatal(err)
		}
		if given[forgotten.Version] {
			t.Fatalf("version %d was given twice", forgotten.Version)
		}
		given[forgotten.Version] = true
		do(t, conn, "UPDATE easyauth.entries SET version = $1", int64(first.Version))
		if _, err := s.Save(t.Context(), "key", forgotten); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("Save of a version that was forgotten: %v, want a conflict", err)
		}
	}
}

// calls returns one call of each method that asks the server; Load is the first.
func calls(s *pgstore.Store, key string) []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error { _, err := s.Load(ctx, key); return err },
		func(ctx context.Context) error {
			_, err := s.Save(ctx, key+":other", store.Entry{ExpiresAt: time.Now().Add(time.Hour)})
			return err
		},
		func(ctx context.Context) error {
			_, err := s.Save(ctx, key, store.Entry{Version: 1, ExpiresAt: time.Now().Add(time.Hour)})
			return err
		},
		func(ctx context.Context) error { return s.Delete(ctx, key+":other") },
		func(ctx context.Context) error { _, err := s.Watch(ctx, key); return err },
		s.Check,
	}
}

// warm makes the pool have n connections that have worked.
func warm(t testing.TB, s *pgstore.Store, n int) {
	t.Helper()
	failed := make(chan error)
	for range n {
		go func() {
			for range 20 {
				if _, err := s.Load(t.Context(), "warm"); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// wantWorking checks that the first try of each call works.
func wantWorking(t testing.TB, s *pgstore.Store, key string) {
	t.Helper()
	e := load(t, s, key)
	if e.Version == 0 {
		t.Fatal("the entry is gone")
	}
	if _, err := s.Save(t.Context(), key, e); err != nil {
		t.Fatalf("Save: %v", err)
	}
	if err := s.Delete(t.Context(), key+":nothing"); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}

// database returns the name of the database at url.
func database(t testing.TB, url string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Database
}
