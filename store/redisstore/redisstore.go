// Package redisstore keeps entries in Redis 6.2 or newer, or Valkey, for an
// application that runs on several machines. One server, a master that
// sentinels watch, and a cluster are all fine.
//
// # Settings
//
// The server must not throw entries away when its memory is full, because with
// each that goes somebody is signed out: maxmemory-policy noeviction, which is
// the default. A server that is full then refuses to write, which is an outage
// and signs nobody out. [Store.Check] says where it is set otherwise.
//
// What rests in memory only is gone after a restart, and everybody signs in
// again; appendonly yes keeps it.
//
// Where users have limited rights, these are enough:
//
//	~easyauth:* &easyauth:* +get +time +multi +exec +eval +evalsha +set
//	+getrange +setrange +del +publish +zadd +zrange +zrangebyscore
//	+zremrangebyscore +pexpireat +subscribe +unsubscribe +ping +info
//	+cluster|slots +command
//
// The last line is for the client of a cluster only.
//
// The client should have ContextTimeoutEnabled. Without it a call ends with its
// context all the same, but its connection is free only after ReadTimeout, and
// reads are slower.
//
// # What a fail-over forgets
//
// Redis acknowledges a write before its replicas have it, and a fail-over
// forgets the last ones, commonly those of less than a second. Versions are
// random numbers, so none of them ever names two values: what was forgotten
// shows up as a conflict and never as somebody else's record (docs/threats.md
// R22). But a session that was created in that moment is gone, one that was
// ended is back until it is ended again or expires, and where a refresh token
// was replaced the old one is back, which a provider with strict rotation takes
// for theft. The settings min-replicas-to-write 1 and min-replicas-max-lag 1
// keep a master that lost its replicas from going on alone. Where nothing may
// be forgotten, use package pgstore.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/store"
)

// Store is a [store.Store], a [store.TagIndex] and a [store.Watcher] in Redis.
// It must be closed.
type Store struct {
	client         redis.UniversalClient
	cluster        bool
	heedsDeadlines bool // the client does
	crew           *crew
	watch          *switchboard
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.TagIndex = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
)

// New returns a Store that uses client, which remains the caller's to close. It
// asks the server nothing.
//
// A [redis.Ring] is no place for sessions: a shard that comes back brings back
// what was ended meanwhile. [Store.Check] refuses it.
func New(client redis.UniversalClient) *Store {
	s := &Store{client: client, crew: newCrew()}
	s.watch = newSwitchboard(client, s.crew)
	switch c := client.(type) {
	case *redis.Client:
		s.heedsDeadlines = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		s.heedsDeadlines, s.cluster = c.Options().ContextTimeoutEnabled, true
	}
	return s
}

// Load implements [store.Store]. Keys with the same hash tag, the part of a key
// in braces, are one round trip on a cluster too; others are asked for at once.
//
// Where the client has ContextTimeoutEnabled and the deadline is less than two
// seconds away, a cancellation is noticed with the answer or at the deadline.
func (s *Store) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	entries, err := s.load(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("redisstore: load: %w", err)
	}
	return entries, nil
}

// Save implements [store.Store]. It keeps ExpiresAt to the millisecond.
//
// An entry with tags is two round trips, because the index is written first: of
// a Save that ends in between, a tag of a key that does not have it remains,
// which [Store.Tagged] passes over.
func (s *Store) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if err := store.Check(key, e, time.Time{}); err != nil {
		return store.Entry{}, err
	}
	version := newVersion()
	record := encode(e, version)
	now, err := do(ctx, s.crew, func(ctx context.Context) (time.Time, error) {
		if err := s.index(ctx, key, e); err != nil {
			return time.Time{}, err
		}
		return s.swap(ctx, key, e, version, record)
	})
	switch {
	case errors.Is(err, store.ErrConflict):
		return store.Entry{}, store.ErrConflict
	case errors.Is(err, store.ErrExpired):
		return store.Entry{}, store.ErrExpired
	case err != nil:
		return store.Entry{}, fmt.Errorf("redisstore: save: %w", err)
	}
	e.Version, e.Now = version, now
	return e, nil
}

// swap writes record if the version of e is the one that is stored.
func (s *Store) swap(ctx context.Context, key string, e store.Entry, version uint64, record []byte) (time.Time, error) {
	reply, sent, err := s.run(ctx, saveScript, key, spell(e.Version), spell(version), record, lastMilli(e))
	if err != nil {
		return time.Time{}, err
	}
	outcome, now, err := readOutcome(reply)
	switch {
	case err != nil:
		return time.Time{}, err
	case outcome == "expired":
		return time.Time{}, store.ErrExpired
	case outcome == "conflict" && sent > 1:
		// What was sent first may have won and been replaced since.
		return time.Time{}, errors.New("the answer was lost, and the entry has changed")
	case outcome == "conflict":
		return time.Time{}, store.ErrConflict
	}
	return now, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	_, err := do(ctx, s.crew, func(ctx context.Context) ([]any, error) {
		reply, _, err := s.run(ctx, deleteScript, key)
		return reply, err
	})
	if err != nil {
		return fmt.Errorf("redisstore: delete: %w", err)
	}
	return nil
}

// Close ends the watching and waits for it, and for calls that outlast the
// context of who asked. Later calls fail. The client stays open. Closing twice
// is harmless.
func (s *Store) Close() error {
	s.watch.close()
	s.crew.close()
	return nil
}
