package redisstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// One address is one server, several are a cluster, and a MasterName means that
// the addresses are those of sentinels.
func Example() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                 []string{"redis.example:6379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	s := redisstore.New(client)
	defer s.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Check(ctx); err != nil {
		fmt.Println("not ready:", err)
		return
	}
	saved, err := s.Save(ctx, "easyauth:example", store.Entry{
		Value:     []byte("record"),
		ExpiresAt: time.Now().Add(8 * time.Hour),
	})
	fmt.Println(saved.Version != 0, err)
}
