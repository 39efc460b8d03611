package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
	"github.com/goeasyauth/easyauth/store/redisstore"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

// openStore opens the store, without asking whether a server is there: a
// replica must be able to start while its store is down.
func openStore(ctx context.Context, spec string) (store.Store, func(), error) {
	kind, rest, _ := strings.Cut(spec, ":")
	switch kind {
	case "sqlite":
		st, err := sqlitestore.Open(rest)
		return st, func() { st.Close() }, err
	case "redis":
		opts, err := redis.ParseURL(spec)
		if err != nil {
			return nil, nil, err
		}
		opts.ContextTimeoutEnabled = true
		client := redis.NewClient(opts)
		st := redisstore.New(client)
		return st, func() { st.Close(); client.Close() }, nil
	case "postgres":
		pool, err := pgxpool.New(ctx, spec)
		if err != nil {
			return nil, nil, err
		}
		st := pgstore.New(pool, pgstore.Config{})
		return st, func() { st.Close(); pool.Close() }, nil
	}
	return nil, nil, fmt.Errorf("no store %q", spec)
}

// observedStore reaches the points of a refresh at which its grant is written.
type observedStore struct {
	store.Store
	points *points
}

// Save implements store.Store.
func (s *observedStore) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if !strings.HasSuffix(key, ":grant") {
		return s.Store.Save(ctx, key, e)
	}
	before, after := s.points.save()
	s.points.reach(before)
	e, err := s.Store.Save(ctx, key, e)
	s.points.reach(after)
	return e, err
}

// Tagged implements store.TagIndex.
func (s *observedStore) Tagged(ctx context.Context, tag string) ([]string, error) {
	return store.Tagged(ctx, s.Store, tag)
}

// Watch implements store.Watcher.
func (s *observedStore) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return store.Watch(ctx, s.Store, key)
}
