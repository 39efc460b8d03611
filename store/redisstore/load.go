package redisstore

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
)

// near is how close a deadline has to be for a Load to wait for it in the
// goroutine of who asked.
const near = 2 * time.Second

// load loads keys. Reads are what every request waits for, so they are spared
// the way through the crew, a tenth of their cost, where the client sees to it
// that they end soon. A cancellation is noticed at the deadline then.
func (s *Store) load(ctx context.Context, keys []string) ([]store.Entry, error) {
	if deadline, ok := ctx.Deadline(); ok && s.heedsDeadlines && time.Until(deadline) < near {
		entries, err := s.read(ctx, keys)
		if err != nil {
			return nil, blame(ctx, err)
		}
		return entries, nil
	}
	return do(ctx, s.crew, func(ctx context.Context) ([]store.Entry, error) { return s.read(ctx, keys) })
}

func (s *Store) read(ctx context.Context, keys []string) ([]store.Entry, error) {
	if s.cluster {
		return s.readSlots(ctx, keys)
	}
	return readTogether(ctx, s.client.Pipeline(), keys)
}

// readTogether asks for the clock and for keys of one slot in one round trip.
func readTogether(ctx context.Context, pipe redis.Pipeliner, keys []string) ([]store.Entry, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	clock, records := pipe.Time(ctx), make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		records[i] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	now, err := clock.Result()
	if err != nil {
		return nil, err
	}
	entries := make([]store.Entry, len(keys))
	for i := range entries {
		entries[i].Now = now
		record, err := records[i].Bytes()
		if err == nil {
			err = decode(record, &entries[i])
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
	}
	return entries, nil
}

// readSlots reads keys from a cluster: one call for the keys of each slot, all
// at once. A transaction goes to the node of its keys as a whole, so that the
// clock is that node's.
func (s *Store) readSlots(ctx context.Context, keys []string) ([]store.Entry, error) {
	groups := make(map[string][]int)
	for i, key := range keys {
		tag := hashTag(key)
		groups[tag] = append(groups[tag], i)
	}
	if len(groups) <= 1 {
		return readTogether(ctx, s.client.TxPipeline(), keys)
	}
	var (
		reading sync.WaitGroup
		mu      sync.Mutex
		errs    []error
		entries = make([]store.Entry, len(keys))
	)
	for _, group := range groups {
		reading.Go(func() {
			some := make([]string, len(group))
			for i, at := range group {
				some[i] = keys[at]
			}
			loaded, err := readTogether(ctx, s.client.TxPipeline(), some)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			for i, at := range group {
				entries[at] = loaded[i]
			}
		})
	}
	reading.Wait()
	return entries, errors.Join(errs...)
}

// hashTag returns the part of key that decides on its slot: what is between the
// first brace and the next closing one, if there is anything, else all of it.
func hashTag(key string) string {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			return tag
		}
	}
	return key
}
