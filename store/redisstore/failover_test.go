package redisstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// R22: a fail-over forgets acknowledged writes. What the replicas had is there,
// what they had not is a conflict, and no version means two values.
func TestR22FailOverForgetsAndMixesNothingUp(t *testing.T) {
	t.Parallel()
	sentinel := testserver.NewSentinel(t)
	master := sentinel.Master()
	s := overSentinel(t, sentinel)

	safe := make(map[string]store.Entry)
	for i := range 20 {
		key := fmt.Sprint("easyauth:safe:", i)
		safe[key] = save(t, s, key, key)
	}
	replaced, ended := save(t, s, "easyauth:replaced", "known to all"), save(t, s, "easyauth:ended", "value")
	told := watch(t, s, "easyauth:replaced")
	if got := master.Do("WAIT", "2", "5000"); got != "2" {
		t.Fatalf("%s replicas have everything", got)
	}

	cutOff(t, master)
	forgotten := replaced
	forgotten.Value = []byte("forgotten")
	forgotten, err := s.Save(t.Context(), "easyauth:replaced", forgotten)
	if err != nil {
		t.Fatal(err)
	}
	wantTold(t, told)
	if err := s.Delete(t.Context(), "easyauth:ended"); err != nil {
		t.Fatal(err)
	}
	master.Kill()
	killed := time.Now()
	until(t, func() bool { return tryToSave(t, s) == nil })
	t.Logf("writes are taken again %v after the master was killed", time.Since(killed).Round(time.Millisecond))

	for key, want := range safe {
		if got := load(t, s, key); got.Version != want.Version || string(got.Value) != key {
			t.Errorf("%s: version %d, value %q; want version %d", key, got.Version, got.Value, want.Version)
		}
	}
	if got := load(t, s, "easyauth:replaced"); got.Version != replaced.Version || string(got.Value) != "known to all" {
		t.Errorf("version %d, value %q; want what the replicas had", got.Version, got.Value)
	}
	if got := load(t, s, "easyauth:ended"); got.Version != ended.Version {
		t.Errorf("version %d, want what was ended: the documentation says that it is back", got.Version)
	}
	forgotten.Value = []byte("based on what is forgotten")
	if _, err := s.Save(t.Context(), "easyauth:replaced", forgotten); err != store.ErrConflict {
		t.Errorf("Save over a forgotten version: %v, want a conflict", err)
	}
	replaced.Value = []byte("another")
	again, err := s.Save(t.Context(), "easyauth:replaced", replaced)
	if err != nil || again.Version == forgotten.Version {
		t.Errorf("Save gave version %d, %v; that was the one of a forgotten value", again.Version, err)
	}
	wantTold(t, told)
}

// Whatever is read during a fail-over was written under that key with that
// version by somebody, and writes resume by themselves.
func TestFailOverInTheMiddleOfWrites(t *testing.T) {
	t.Parallel()
	sentinel := testserver.NewSentinel(t)
	const writers = 4
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	killed := make(chan struct{})
	var writing sync.WaitGroup
	for i := range writers {
		s, key := overSentinel(t, sentinel), fmt.Sprint("easyauth:writer:", i)
		writing.Go(func() {
			if err := writeThrough(ctx, s, key, killed); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
	time.AfterFunc(200*time.Millisecond, func() {
		sentinel.Nodes[0].Kill()
		close(killed)
	})
	writing.Wait()
}

// writeThrough writes to the entry until it has done so twenty times after the
// kill. Each value names its key, and the version it was acknowledged with.
func writeThrough(ctx context.Context, s *redisstore.Store, key string, killed <-chan struct{}) error {
	values := make(map[uint64]string)
	for after := 0; after < 20; {
		e, err := writeOnce(ctx, s, key, values)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("writes did not resume: %w", ctx.Err())
		case errors.Is(err, errMixedUp):
			return err
		case err != nil:
			continue // whether it was written is not known
		}
		values[e.Version] = string(e.Value)
		select {
		case <-killed:
			after++
		default:
		}
	}
	return nil
}

var errMixedUp = errors.New("mixed up")

func writeOnce(ctx context.Context, s *redisstore.Store, key string, values map[uint64]string) (store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	entries, err := s.Load(ctx, key)
	if err != nil {
		return store.Entry{}, err
	}
	e := entries[0]
	value, known := values[e.Version]
	switch {
	case known && value != string(e.Value):
		return store.Entry{}, fmt.Errorf("%w: version %d was %q and is %q", errMixedUp, e.Version, value, e.Value)
	case e.Version != 0 && !strings.HasPrefix(string(e.Value), key+" "):
		return store.Entry{}, fmt.Errorf("%w: the key holds %q", errMixedUp, e.Value)
	}
	e.Value = fmt.Append(nil, key, " ", rand.Text())
	e.ExpiresAt = e.Now.Add(time.Hour)
	return s.Save(ctx, key, e)
}

func overSentinel(t testing.TB, sentinel *testserver.Sentinel) *redisstore.Store {
	t.Helper()
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            sentinel.Name,
		SentinelAddrs:         sentinel.Addrs(),
		ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { client.Close() })
	return over(t, client)
}

// cutOff keeps the replicas of a master from hearing what it writes from now on,
// while connections that are open stay so.
func cutOff(t testing.TB, master *testserver.Redis) {
	t.Helper()
	_, err := connect(t, master.Addr()).Pipelined(t.Context(), func(p redis.Pipeliner) error {
		p.ConfigSet(t.Context(), "requirepass", "nobody knows")
		p.ClientKillByFilter(t.Context(), "TYPE", "replica")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tryToSave(t testing.TB, s *redisstore.Store) error {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := s.Save(ctx, fmt.Sprint("easyauth:try:", time.Now().UnixNano()), store.Entry{ExpiresAt: time.Now().Add(time.Hour)})
	return err
}
