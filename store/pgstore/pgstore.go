// Package pgstore keeps entries in PostgreSQL, version 12 or later: for an
// application of several replicas that has such a database, or wants its users
// to stay signed in whatever becomes of a machine.
//
// # Tables
//
// They have a schema of their own, which [Store.Migrate] makes and nothing else
// does. Its role needs the right to create in the database, or owns a schema that
// was made for it. At run time less will do:
//
//	GRANT USAGE ON SCHEMA easyauth TO app;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA easyauth TO app;
//
// Values rest as they are given; package store/sealed encrypts them. A Store
// removes expired rows, about an hour after their end at the latest.
//
// # Poolers
//
// Every call is one statement and one round trip, on a connection of the pool
// that is given back as it was: nothing is prepared, no setting, no lock and no
// temporary thing is left. So PgBouncer may stand between in transaction mode, of
// whatever version. Watching alone needs a connection that reaches the server
// itself; see [Config].
//
// A call whose connection turns out to be dead, though it had worked before, is
// made again on another one; a Save recognises what it has written the first
// time. That makes superfluous what a pool does by default, a round trip to test
// a connection that was idle for a second:
//
//	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
//
// When the context of a call ends in the middle, pgx closes its connection.
//
// # What survives
//
// A write that was acknowledged survives the end of the server, if the server
// has the settings it comes with. With synchronous_commit=off a crash undoes the
// writes of the last moments, and so does the promotion of a standby that
// replicates asynchronously; fsync=off may undo anything. What it costs to undo
// a write (docs/threats.md R22): a refresh token that was stored is lost, so that
// its user signs in again where the provider takes each token once only; and a
// session that was ended is back. It never takes one user for another, or an old
// record for a new one, because version numbers are drawn and not counted. Where
// that is too much, let the server wait for a standby
// (synchronous_standby_names).
package pgstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goeasyauth/easyauth/store"
)

// Store is a [store.Store], a [store.TagIndex] and a [store.Watcher] in a
// PostgreSQL database. It must be closed.
type Store struct {
	pool   *pgxpool.Pool
	schema string
	sql    statements

	listener *listener
	working  sync.WaitGroup
	stop     context.CancelFunc
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.TagIndex = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
)

// New returns a Store in the database of pool, which stays the caller's. It asks
// the server nothing: the first call does.
func New(pool *pgxpool.Pool, cfg Config) *Store {
	s := &Store{pool: pool, schema: cfg.schema()}
	s.sql = newStatements(s.schema)
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.listener = newListener(ctx, s, cfg.Listen)
	s.working.Go(func() { s.sweepEvery(ctx, sweepInterval) })
	return s
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	result, err := s.ask(ctx, s.sql.load, list(keys))
	if err != nil {
		return nil, fmt.Errorf("pgstore: load: %w", err)
	}
	entries := make([]store.Entry, len(keys))
	for _, row := range result.Rows {
		now, key := instant(row[0]), string(row[1])
		for i := range entries {
			entries[i].Now = now
			if row[1] != nil && keys[i] == key {
				entries[i] = entry(now, row)
			}
		}
	}
	return entries, nil
}

// Save implements [store.Store].
func (s *Store) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if err := store.Check(key, e, time.Time{}); err != nil {
		return store.Entry{}, err // but the server's clock is asked
	}
	version := newVersion()
	statement, params := s.sql.create, [][]byte{
		[]byte(s.schema), []byte(key), integer(version), timestamp(e.ExpiresAt), list(e.Tags), present(e.Value),
	}
	if e.Version != 0 {
		statement, params = s.sql.replace, append(params, integer(int64(e.Version)))
	}
	result, err := s.ask(ctx, statement, params...)
	if err != nil {
		return store.Entry{}, fmt.Errorf("pgstore: save: %w", err)
	}
	row := result.Rows[0]
	e.Now = instant(row[1])
	switch saved := row[0][0] == 1; {
	case saved:
		e.Version = uint64(version)
		return e, nil
	case !e.ExpiresAt.After(e.Now):
		return store.Entry{}, store.ErrExpired
	default:
		return store.Entry{}, store.ErrConflict
	}
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if _, err := s.ask(ctx, s.sql.delete, []byte(s.schema), []byte(key)); err != nil {
		return fmt.Errorf("pgstore: delete: %w", err)
	}
	return nil
}

// Tagged implements [store.TagIndex].
func (s *Store) Tagged(ctx context.Context, tag string) ([]string, error) {
	result, err := s.ask(ctx, s.sql.tagged, []byte(tag))
	if err != nil {
		return nil, fmt.Errorf("pgstore: search by tag: %w", err)
	}
	var keys []string
	for _, row := range result.Rows {
		keys = append(keys, string(row[0]))
	}
	return keys, nil
}

// Watch implements [store.Watcher]. The error is an [errors.ErrUnsupported]
// where the server cannot be listened to, because a pooler is in the way.
//
// Watching costs one connection, which is opened for the first watch and closed
// a while after the last, and a write for each watch. It costs other keys nothing.
func (s *Store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	told, err := s.listener.watch(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("pgstore: watch: %w", err)
	}
	return told, nil
}

// Close ends the removal of expired rows and the watching, and waits until both
// have ended. Watch fails from then on; the rest goes on working for as long as
// the pool does. Closing twice is harmless. The error is always nil.
func (s *Store) Close() error {
	s.listener.close()
	s.stop()
	s.working.Wait()
	return nil
}
