package redisstore_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

func TestCheckNamesTheRemedy(t *testing.T) {
	t.Parallel()
	evicting := testserver.NewRedis(t, "maxmemory 100mb", "maxmemory-policy allkeys-lru")
	volatile := testserver.NewRedis(t, "maxmemory 100mb", "maxmemory-policy volatile-ttl")
	unlimited := testserver.NewRedis(t, "maxmemory-policy allkeys-lru")
	full := testserver.NewRedis(t, "maxmemory 1mb")
	cluster := testserver.NewCluster(t)
	single := func(server *testserver.Redis) redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: server.Addr()})
	}
	for name, tt := range map[string]struct {
		client redis.UniversalClient
		want   string // empty: nothing is wrong
	}{
		"evicts anything":         {single(evicting), "set maxmemory-policy noeviction, it is allkeys-lru"},
		"evicts what expires":     {single(volatile), "set maxmemory-policy noeviction, it is volatile-ttl"},
		"would evict, no limit":   {single(unlimited), ""},
		"as it comes":             {single(testserver.NewRedis(t)), ""},
		"full":                    {single(full), "with memory to spare"},
		"cluster":                 {redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()}), ""},
		"ring, which is no store": {redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": evicting.Addr()}}), "use one server, Sentinel or a cluster"},
	} {
		t.Cleanup(func() { tt.client.Close() })
		err := over(t, tt.client).Check(t.Context())
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "redisstore: ") || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v\nwant: %s", name, err, tt.want)
		}
	}

	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	t.Cleanup(func() { client.Close() })
	cluster.Nodes[2].Do("CONFIG", "SET", "maxmemory", "100mb")
	cluster.Nodes[2].Do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	if err := over(t, client).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "it is allkeys-random") {
		t.Errorf("one node of a cluster that evicts: %v", err)
	}
}

func TestCheckLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	if err := open(t, server.Addr()).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if n := server.Do("DBSIZE"); n != "0" {
		t.Errorf("%s keys are left", n)
	}
}
