package redisstore_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// What is told while a connection is broken is lost, so everybody is told when
// it is back, those whose key did not change too.
func TestWatchersAreToldAfterABreak(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	s, other := open(t, proxy.Addr()), open(t, server.Addr())
	e := save(t, other, "easyauth:changed", "value")
	changed, unchanged := watch(t, s, "easyauth:changed"), watch(t, s, "easyauth:unchanged")
	proxy.Reset()
	if _, err := other.Save(t.Context(), "easyauth:changed", e); err != nil {
		t.Fatal(err)
	}
	proxy.Heal()
	wantTold(t, changed)
	wantTold(t, unchanged)
	save(t, other, "easyauth:unchanged", "value")
	wantTold(t, unchanged)
}

// A connection that is dead and does not know it is noticed all the same.
func TestWatchersAreToldAfterSilence(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	told := watch(t, s, "easyauth:key")
	idle := proxy.Connections()
	proxy.HalfOpen()
	until(t, func() bool { return proxy.Connections() > idle })
	proxy.Heal()
	wantTold(t, told)
}

func TestWatchersAreToldAfterARestart(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	told := watch(t, s, "easyauth:key")
	server.Restart()
	wantTold(t, told)
	save(t, s, "easyauth:key", "value")
	wantTold(t, told)
}

func TestWatchSaysThatItCannot(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	server.Do("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "resetchannels", "+@all")
	proxy := testserver.NewProxy(t, server.Addr())
	proxy.Reset()
	for name, tt := range map[string]struct {
		options redis.Options
		want    string
	}{
		"server that is down":    {redis.Options{Addr: proxy.Addr()}, ""},
		"user without the right": {redis.Options{Addr: server.Addr(), Username: "deaf", Password: "any"}, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redis.NewClient(&tt.options)
			t.Cleanup(func() { client.Close() })
			_, err := over(t, client).Watch(t.Context(), "easyauth:key")
			if err == nil || !strings.HasPrefix(err.Error(), "redisstore: watch: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Watch: %v, want %s", err, tt.want)
			}
		})
	}
}

// A user who may not tell others must not write either: they would wait in vain.
func TestSaveThatCannotTellWritesNothing(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	server.Do("ACL", "SETUSER", "mute", "on", "nopass", "~*", "resetchannels", "+@all")
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "mute", Password: "any"})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "the user must have the rights") {
		t.Errorf("Check: %v", err)
	}
	if n := server.Do("DBSIZE"); n != "0" {
		t.Errorf("%s keys were written", n)
	}
}

// All watches share one connection, and channels that nobody watches are given up.
func TestWatchesShareAConnection(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	listeners := func() int { return strings.Count(server.Do("CLIENT", "LIST", "TYPE", "pubsub"), "id=") }
	brief, stop := context.WithCancel(t.Context())
	for _, key := range []string{"easyauth:1", "easyauth:2", "easyauth:3"} {
		if _, err := s.Watch(brief, key); err != nil {
			t.Fatal(err)
		}
	}
	watch(t, s, "easyauth:1")
	if n := listeners(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	stop()
	until(t, func() bool { return server.Do("PUBSUB", "CHANNELS") == "easyauth:changed:easyauth:1" })
	told := watch(t, s, "easyauth:2")
	save(t, s, "easyauth:2", "value")
	wantTold(t, told)
}

func TestConnectionEndsSomeTimeAfterTheLastWatch(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ClientName: "watcher"})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	save(t, s, "easyauth:key", "value")
	connections := func() int { return strings.Count(server.Do("CLIENT", "LIST"), "name=watcher") }
	before := connections()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.Watch(ctx, "easyauth:key"); err != nil {
		t.Fatal(err)
	}
	if n := connections(); n != before+1 {
		t.Errorf("%d connections with a watch and %d without", n, before)
	}
	cancel()
	until(t, func() bool { return connections() == before })
	told := watch(t, s, "easyauth:key")
	e := load(t, s, "easyauth:key")
	if _, err := s.Save(t.Context(), "easyauth:key", e); err != nil {
		t.Fatal(err)
	}
	wantTold(t, told)
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	server := testserver.NewRedis(t)
	client := connect(t, server.Addr())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	s := redisstore.New(client)
	save(t, s, "easyauth:key", "value", "easyauth:tag")
	told := watch(t, s, "easyauth:key")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	until(t, func() bool { return runtime.NumGoroutine() <= before })
	for name, call := range calls(s, "easyauth:key", load(t, over(t, client), "easyauth:key")) {
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "the store is closed") {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	select {
	case <-told:
		t.Error("a watch was told or closed")
	default:
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the client was closed: %v", err)
	}
}

func watch(t testing.TB, s *redisstore.Store, key string) <-chan struct{} {
	t.Helper()
	told, err := s.Watch(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func wantTold(t testing.TB, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was told")
	}
}

// A watch begins while the subscription of an earlier one is being ended: what
// changes in between is told when the subscription is back.
func TestWatchThatCrossesTheEndOfAnother(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	s, other := open(t, proxy.Addr()), open(t, server.Addr())
	watch(t, s, "easyauth:kept")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.Watch(ctx, "easyauth:key"); err != nil {
		t.Fatal(err)
	}
	proxy.DelayAnswers(time.Minute) // the server does as it is told, and s does not know
	cancel()
	until(t, func() bool { return server.Do("PUBSUB", "CHANNELS") == "easyauth:changed:easyauth:kept" })
	told := watch(t, s, "easyauth:key")
	save(t, other, "easyauth:key", "value")
	proxy.Heal()
	wantTold(t, told)
	e := load(t, other, "easyauth:key")
	if _, err := other.Save(t.Context(), "easyauth:key", e); err != nil {
		t.Fatal(err)
	}
	wantTold(t, told)
}
