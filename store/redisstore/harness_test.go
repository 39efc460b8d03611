package redisstore_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/goeasyauth/easyauth/internal/leaktest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// TestMain keeps the client from reporting each server that a test takes down.
func TestMain(m *testing.M) {
	logging.Disable()
	leaktest.Main(m)
}

// open returns a Store with a client of its own for one server.
func open(t testing.TB, addr string) *redisstore.Store {
	t.Helper()
	return over(t, connect(t, addr))
}

// connect returns a client as an application has it.
func connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

// over returns a Store that ends before its client does.
func over(t testing.TB, client redis.UniversalClient) *redisstore.Store {
	t.Helper()
	s := redisstore.New(client)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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

// until waits for what must happen within a while.
func until(t testing.TB, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
