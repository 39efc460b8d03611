package redisstore_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Addr()) })
}

// Without ContextTimeoutEnabled the client does not look at deadlines.
func TestContractWithAClientAsItComes(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: testserver.NewRedis(t).Addr()})
	t.Cleanup(func() { client.Close() })
	storetest.Run(t, func(t *testing.T) store.Store { return over(t, client) })
}

// Two handles are what two processes have.
func TestContractBetweenTwoHandles(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		return &alternating{stores: [2]*redisstore.Store{open(t, server.Addr()), open(t, server.Addr())}}
	})
}

// The layers above give every call a deadline.
func TestContractWithDeadlines(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	storetest.Run(t, func(t *testing.T) store.Store { return hurried{open(t, server.Addr())} })
}

func TestContractOnACluster(t *testing.T) {
	t.Parallel()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: testserver.NewCluster(t).Addrs(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	storetest.Run(t, func(t *testing.T) store.Store { return over(t, client) })
}

// The rights that the documentation names are enough, on one server.
func TestContractWithTheDocumentedRights(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	limitUser(t, server, "~storetest:*")
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "limited", Password: "secret"})
	t.Cleanup(func() { client.Close() })
	if err := over(t, client).Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	storetest.Run(t, func(t *testing.T) store.Store { return over(t, client) })
}

func TestDocumentedRightsOnACluster(t *testing.T) {
	t.Parallel()
	cluster := testserver.NewCluster(t)
	for _, node := range cluster.Nodes {
		limitUser(t, node)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), Username: "limited", Password: "secret"})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	for _, key := range []string{"easyauth:1", "easyauth:2", "easyauth:3"} {
		told := watch(t, s, key)
		save(t, s, key, "value", "user")
		wantTold(t, told)
	}
	if keys, err := s.Tagged(t.Context(), "user"); err != nil || len(keys) != 3 {
		t.Errorf("Tagged = %q, %v", keys, err)
	}
}

// limitUser makes a user with the rights that the package documentation names,
// and more.
func limitUser(t *testing.T, server *testserver.Redis, more ...string) {
	t.Helper()
	source, err := os.ReadFile("redisstore.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(source), "//	~")
	list, _, ends := strings.Cut(list, "//\n")
	if !found || !ends {
		t.Fatal("the documentation names no rights")
	}
	documented := strings.Fields("~" + strings.ReplaceAll(list, "//", ""))
	server.Do(slices.Concat([]string{"ACL", "SETUSER", "limited", "on", ">secret", "resetchannels"}, documented, more)...)
}

// hurried gives reads a deadline.
type hurried struct{ *redisstore.Store }

func (h hurried) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return h.Store.Load(ctx, keys...)
}

// alternating sends every call to the other of two stores on one server.
type alternating struct {
	stores [2]*redisstore.Store
	calls  atomic.Int64
}

func (a *alternating) next() *redisstore.Store { return a.stores[a.calls.Add(1)%2] }

func (a *alternating) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	return a.next().Load(ctx, keys...)
}

func (a *alternating) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	return a.next().Save(ctx, key, e)
}

func (a *alternating) Delete(ctx context.Context, key string) error {
	return a.next().Delete(ctx, key)
}

func (a *alternating) Tagged(ctx context.Context, tag string) ([]string, error) {
	return a.next().Tagged(ctx, tag)
}

func (a *alternating) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return a.next().Watch(ctx, key)
}
