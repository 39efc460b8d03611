package testserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

func TestRedisForgetsEverythingWhenItRestarts(t *testing.T) {
	t.Parallel()
	r := testserver.NewRedis(t, "maxmemory 100mb")
	if got := r.Do("CONFIG", "GET", "maxmemory"); got != "maxmemory\n104857600" {
		t.Errorf("CONFIG GET maxmemory: %q", got)
	}
	r.Do("SET", "key", "a b\r\nc")
	if got := r.Do("GET", "key"); got != "a b\r\nc" {
		t.Errorf("GET: %q", got)
	}
	r.Restart()
	if got := r.Do("GET", "key"); got != "" {
		t.Errorf("GET after a restart: %q", got)
	}
}

func TestRedisThatIsPausedAnswersLater(t *testing.T) {
	t.Parallel()
	r := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, r.Addr())
	c := dial(t, proxy)
	r.Pause()
	write(t, c, "PING\r\n")
	wantSilence(t, c)
	r.Resume()
	want(t, c, "+PONG\r\n")
}

func TestRedisEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var addr string
	t.Run("inner", func(t *testing.T) { addr = testserver.NewRedis(t).Addr() })
	wantRefused(t, testserver.NewProxy(t, addr))
}

func TestSentinelMakesAnotherMaster(t *testing.T) {
	t.Parallel()
	s := testserver.NewSentinel(t)
	first := s.Master()
	if first != s.Nodes[0] {
		t.Fatal("the first node is not the master")
	}
	first.Do("SET", "key", "value")
	first.Do("WAIT", "2", "1000")
	first.Kill()
	until(t, func() bool {
		return s.Master() != first && strings.Contains(s.Master().Do("INFO", "replication"), "role:master")
	})
	if got := s.Master().Do("GET", "key"); got != "value" {
		t.Errorf("GET from the new master: %q", got)
	}
}

func TestClusterHasEverySlot(t *testing.T) {
	t.Parallel()
	c := testserver.NewCluster(t)
	if len(c.Addrs()) != 3 {
		t.Errorf("nodes: %q", c.Addrs())
	}
	owners := 0
	for _, node := range c.Nodes {
		if strings.Contains(node.Do("CLUSTER", "SLOTS"), "16383") && node.Do("CLUSTER", "COUNTKEYSINSLOT", "0") == "0" {
			owners++
		}
	}
	if owners != 3 {
		t.Errorf("%d nodes know of all slots", owners)
	}
}

func until(t *testing.T, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
