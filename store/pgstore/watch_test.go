package pgstore_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// A connection that hears nothing is worse than none: who trusts it waits.
func TestWatchTrustsNoConnectionThatHearsNothing(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	pooler := testserver.NewPgBouncer(t, url, "default_pool_size = 1")
	elsewhere := server.NewDatabase()
	connect := func(url string) func(context.Context) (*pgx.Conn, error) {
		return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, url) }
	}
	for name, c := range map[string]struct {
		pool   string
		listen func(context.Context) (*pgx.Conn, error)
		says   string
	}{
		"that of the pool leads to a pooler":   {pooler.URL(), nil, "lead to a pooler"},
		"that of Listen leads to a pooler":     {url, connect(pooler.URL()), "are not heard"},
		"that of Listen leads somewhere else":  {url, connect(elsewhere), "are not heard"},
		"the same where the pool has a pooler": {pooler.URL(), connect(elsewhere), "are not heard"},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int64
			cfg := pgstore.Config{}
			if c.listen != nil {
				cfg.Listen = func(ctx context.Context) (*pgx.Conn, error) {
					tries.Add(1)
					return c.listen(ctx)
				}
			}
			s := open(t, c.pool, cfg)
			s.Hurry(50 * time.Millisecond)
			for began := time.Now(); time.Since(began) < time.Second; time.Sleep(100 * time.Millisecond) {
				began := time.Now()
				_, err := s.Watch(t.Context(), "key")
				if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "Config.Listen") {
					t.Errorf("error %v, want errors.ErrUnsupported, that notifications %q, and the remedy", err, c.says)
				}
				if took := time.Since(began); took > 4*time.Second {
					t.Errorf("it took %v to find out", took)
				}
			}
			if n := tries.Load(); n > 1 {
				t.Errorf("%d tries within a second, want one: it will not be better soon", n)
			}
			if channels := ask[int](t, raw(t, pooler.URL()), "SELECT count(*) FROM pg_listening_channels()", pgx.QueryExecModeSimpleProtocol); channels != 0 {
				t.Error("a connection of the pooler's was left listening")
			}
		})
	}

	t.Run("that of Listen cannot be opened", func(t *testing.T) {
		refused := errors.New("refused")
		s := open(t, url, pgstore.Config{Listen: func(context.Context) (*pgx.Conn, error) { return nil, refused }})
		if _, err := s.Watch(t.Context(), "key"); !errors.Is(err, refused) || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error %v, want that of Listen", err)
		}
	})
}

// Each notification makes all transactions that notify commit one by one, for
// the whole server: it is sent for the keys that somebody waits for.
func TestNobodyIsNotifiedWhereNobodyWatches(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watcher, writer := open(t, url, pgstore.Config{}), open(t, url, pgstore.Config{})
	if _, err := watcher.Watch(ctx, "watched"); err != nil {
		t.Fatal(err)
	}
	spy := raw(t, url)
	do(t, spy, "LISTEN easyauth")
	change := func(key string) {
		t.Helper()
		e := save(t, writer, key, "created")
		if _, err := writer.Save(t.Context(), key, e); err != nil {
			t.Fatal(err)
		}
		if err := writer.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if err := writer.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	// heard returns what has been notified so far.
	heard := func() (keys string) {
		t.Helper()
		do(t, spy, "SELECT pg_notify('easyauth', 'that is all')")
		for {
			n, err := spy.WaitForNotification(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n.Payload == "that is all" {
				return strings.TrimSpace(keys)
			}
			keys += n.Payload + " "
		}
	}
	change("other")
	if keys := heard(); keys != "" {
		t.Errorf("notified: %s", keys)
	}
	change("watched")
	if keys := heard(); keys != "watched watched watched" {
		t.Errorf("notified: %q, want one for each of three changes", keys)
	}
	// A process that is gone says no more that it watches.
	do(t, raw(t, url), "UPDATE easyauth.watches SET until = now()")
	change("watched")
	if keys := heard(); keys != "" {
		t.Errorf("notified: %s", keys)
	}
}

func TestWatchSurvivesTheLossOfItsConnection(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	proxy := testserver.NewProxy(t, server.Addr())
	s := open(t, url, pgstore.Config{Listen: func(ctx context.Context) (*pgx.Conn, error) {
		return pgx.Connect(ctx, testserver.Through(proxy.Addr(), url))
	}})
	s.Hurry(100 * time.Millisecond)
	other := open(t, url, pgstore.Config{})
	first, second := watch(t, s, "first"), watch(t, s, "second")
	drain(first, second)

	for name, lose := range map[string]func(){
		"cut":       proxy.Cut,
		"half-open": func() { proxy.HalfOpen(); time.AfterFunc(time.Second, proxy.Heal) },
		"down":      func() { proxy.Reset(); time.AfterFunc(time.Second, proxy.Heal) },
	} {
		lose()
		// Something may have happened meanwhile: everybody is told.
		wantTold(t, first)
		wantTold(t, second)
		drain(first, second)
		save(t, other, "first", name)
		wantTold(t, first)
		if err := other.Delete(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
		wantTold(t, first)
	}
}

// A watch says again that it is one, or it would be forgotten after a while.
func TestWatchIsSaidAgain(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	s := open(t, url, pgstore.Config{})
	s.Hurry(50 * time.Millisecond)
	told := watch(t, s, "key")
	conn := raw(t, url)
	do(t, conn, "DELETE FROM easyauth.watches")
	until(t, func() bool { return ask[int](t, conn, "SELECT count(*) FROM easyauth.watches WHERE key = 'key'") == 1 })
	drain(told)
	save(t, s, "key", "value")
	wantTold(t, told)
}

func TestConnectionIsThereWhileSomebodyWatches(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["application_name"] = "ear"
	var dials atomic.Int64
	s := open(t, url, pgstore.Config{Listen: func(ctx context.Context) (*pgx.Conn, error) {
		dials.Add(1)
		return pgx.ConnectConfig(ctx, cfg)
	}})
	s.Hurry(100 * time.Millisecond)
	conn := raw(t, url)
	ears := func() int {
		return ask[int](t, conn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ear'")
	}
	for range 3 {
		if n := ears(); n != 0 {
			t.Fatalf("%d connections and nobody watches", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 10 {
			if _, err := s.Watch(ctx, "key"); err != nil {
				t.Fatal(err)
			}
		}
		if n := ears(); n != 1 {
			t.Errorf("%d connections, want one for all watches", n)
		}
		cancel()
		until(t, func() bool { return ears() == 0 })
	}
	if n := dials.Load(); n != 3 {
		t.Errorf("%d connections were opened, want 3", n)
	}

	watch(t, s, "key")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return ears() == 0 })
	if _, err := s.Watch(t.Context(), "key"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Watch after Close: %v", err)
	}
	save(t, s, "key", "the rest goes on working")
}

func drain(channels ...<-chan struct{}) {
	for _, told := range channels {
		select {
		case <-told:
		default:
		}
	}
}
