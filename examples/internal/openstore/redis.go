package openstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// redisBackend reads redis://, redis+sentinel:// and redis+cluster://, each also
// with rediss.
func redisBackend(spec string) (backend, error) {
	scheme, rest, _ := strings.Cut(spec, "://")
	tls, kind, _ := strings.Cut(scheme, "+")
	if tls != "redis" && tls != "rediss" {
		return backend{}, fmt.Errorf("-store: %w", errUnknownRedis)
	}
	bare := tls + "://" + rest // what go-redis reads
	dial, err := redisClient(kind, bare)
	if err != nil {
		return backend{}, fmt.Errorf("-store: this address of a Redis cannot be used: %w", unquoted(err))
	}
	name := "Redis at " + place(bare)
	return backend{name, func(ctx context.Context) (store.Store, closers, error) {
		silence()
		client := dial()
		st := redisstore.New(client)
		opened := closers{client.Close, st.Close}
		if err := st.Check(ctx); err != nil {
			return nil, opened, fmt.Errorf("%s cannot be used (is it running? a single one starts with: redis-server): %w", name, err)
		}
		return st, opened, nil
	}}, nil
}

// silence stops go-redis from writing to standard error: what goes wrong is told
// by who asked.
var silence = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

// Printf implements the logger of go-redis.
func (mute) Printf(context.Context, string, ...any) {}

var errUnknownRedis = errors.New("use redis://, redis+sentinel:// or redis+cluster://, or rediss for TLS")

// redisClient reads the address and returns what makes the client. Its
// connections are given back when a deadline is over.
func redisClient(kind, address string) (func() redis.UniversalClient, error) {
	switch kind {
	case "":
		opts, err := redis.ParseURL(address)
		if err != nil {
			return nil, err
		}
		opts.ContextTimeoutEnabled = true
		return func() redis.UniversalClient { return redis.NewClient(opts) }, nil
	case "sentinel":
		opts, err := redis.ParseFailoverURL(address)
		if err == nil && opts.MasterName == "" {
			err = errors.New("name the master: redis+sentinel://HOST:PORT?master_name=NAME")
		}
		if err != nil {
			return nil, err
		}
		opts.ContextTimeoutEnabled = true
		return func() redis.UniversalClient { return redis.NewFailoverClient(opts) }, nil
	case "cluster":
		opts, err := redis.ParseClusterURL(address)
		if err != nil {
			return nil, err
		}
		opts.ContextTimeoutEnabled = true
		return func() redis.UniversalClient { return redis.NewClusterClient(opts) }, nil
	}
	return nil, errUnknownRedis
}
