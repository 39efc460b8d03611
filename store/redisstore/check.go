package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
)

// clocksApart is how far the server's clock may be from this machine's.
const clocksApart = time.Minute

// Check reports whether the server can carry sessions: that it takes a write and
// gives it back, runs scripts, throws nothing away when its memory is full, and
// has about the same time. The error has all that is wrong, each with its remedy.
//
// It is for a readiness report, and writes a row of its own.
func (s *Store) Check(ctx context.Context) error {
	if _, ring := s.client.(*redis.Ring); ring {
		return errors.New("redisstore: check: a Ring forgets which sessions have ended: use one server, Sentinel or a cluster")
	}
	return errors.Join(s.checkWrites(ctx), s.checkMemory(ctx))
}

func (s *Store) checkWrites(ctx context.Context) error {
	key := "easyauth:check:" + rand.Text()
	there, err := s.Load(ctx, key)
	if err != nil {
		return err
	}
	now := there[0].Now
	if apart := time.Until(now); apart.Abs() > clocksApart {
		return fmt.Errorf("redisstore: check: the server's clock is %v from this machine's: run NTP on both", apart.Round(time.Second))
	}
	saved, err := s.Save(ctx, key, store.Entry{ExpiresAt: now.Add(clocksApart)})
	if err != nil {
		return fmt.Errorf("%w: the server must be a master of version 6.2 or newer, with memory to spare, and the user must have the rights in the documentation of this package", err)
	}
	loaded, err := s.Load(ctx, key)
	if err == nil && loaded[0].Version != saved.Version {
		err = errors.New("redisstore: check: what was written is not what is read: do not read from replicas")
	}
	return errors.Join(err, s.Delete(ctx, key))
}

func (s *Store) checkMemory(ctx context.Context) error {
	_, err := do(ctx, s.crew, func(ctx context.Context) (struct{}, error) {
		if cluster, ok := s.client.(*redis.ClusterClient); ok {
			return struct{}{}, cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
				return checkEviction(ctx, node)
			})
		}
		return struct{}{}, checkEviction(ctx, s.client)
	})
	if err != nil {
		return fmt.Errorf("redisstore: check: %w", err)
	}
	return nil
}

func checkEviction(ctx context.Context, node redis.Cmdable) error {
	info, err := node.Info(ctx, "memory").Result()
	if err != nil {
		return err
	}
	limit, policy := field(info, "maxmemory"), field(info, "maxmemory_policy")
	if limit == "0" || policy == "noeviction" {
		return nil
	}
	return fmt.Errorf("the server throws sessions away when its memory is full: set maxmemory-policy noeviction, it is %s", policy)
}

// field returns what follows the name in the lines of an INFO answer.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
