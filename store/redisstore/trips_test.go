package redisstore_test

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
)

// A signed-in request asks for two records, and waits for the server once.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	session, tokens := "easyauth:{id}:session", "easyauth:{id}:grant"
	tagged, plain := save(t, s, session, "session", "easyauth:user", "easyauth:sid"), save(t, s, tokens, "tokens")
	_, err := s.Tagged(t.Context(), "easyauth:nobody")
	if err := errors.Join(err, s.Delete(t.Context(), "easyauth:absent")); err != nil { // the scripts are known from now on
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want int
		call func() error
	}{
		{"Load of a session and its tokens", 1, func() error { _, err := s.Load(t.Context(), session, tokens); return err }},
		{"Load of keys that are not there", 1, func() error { _, err := s.Load(t.Context(), "easyauth:a", "easyauth:b"); return err }},
		{"Load of nothing", 0, func() error { _, err := s.Load(t.Context()); return err }},
		{"Save", 1, func() error { _, err := s.Save(t.Context(), tokens, plain); return err }},
		{"Save with tags", 2, func() error { _, err := s.Save(t.Context(), session, tagged); return err }},
		{"Delete", 1, func() error { return s.Delete(t.Context(), session) }},
		{"Tagged", 2, func() error { _, err := s.Tagged(t.Context(), "easyauth:user"); return err }},
	} {
		before := proxy.RoundTrips()
		if err := tt.call(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := proxy.RoundTrips() - before; got != tt.want {
			t.Errorf("%s: %d round trips, want %d", tt.name, got, tt.want)
		}
	}
}

// On a cluster too, because both are on one node.
func TestLoadOfOneSlotAsksOneNodeOnce(t *testing.T) {
	t.Parallel()
	cluster := testserver.NewCluster(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	for range 10 {
		if _, err := s.Load(t.Context(), "easyauth:{id}:session", "easyauth:{id}:grant"); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"time", "exec"} {
		calls := 0
		for _, node := range cluster.Nodes {
			calls += count(t, node, command)
		}
		if calls != 10 {
			t.Errorf("%d calls of %s for 10 loads", calls, command)
		}
	}
}

// count returns how often the server has run the command.
func count(t testing.TB, server *testserver.Redis, command string) int {
	t.Helper()
	found := regexp.MustCompile("cmdstat_" + command + `:calls=(\d+)`).FindStringSubmatch(server.Do("INFO", "commandstats"))
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// R22: a counter would give a version again that a fail-over made it forget.
func TestR22VersionsAreRandom(t *testing.T) {
	t.Parallel()
	s := open(t, testserver.NewRedis(t).Addr())
	seen := make(map[uint64]bool)
	e := store.Entry{ExpiresAt: time.Now().Add(time.Hour)}
	var highest uint64
	for range 200 {
		saved, err := s.Save(t.Context(), "easyauth:key", e)
		if err != nil {
			t.Fatal(err)
		}
		if seen[saved.Version] || saved.Version > math.MaxInt64 {
			t.Fatalf("version %d", saved.Version)
		}
		seen[saved.Version], highest, e = true, max(highest, saved.Version), saved
	}
	if highest < math.MaxInt64/2 {
		t.Errorf("the highest of 200 versions is %d", highest)
	}
}
