// Package sqlitestore keeps entries in one SQLite file: for an application that
// runs on one machine, in one process or several, and whose users stay signed
// in when it restarts. It needs no cgo.
//
// The file must be on a local disk: SQLite's write-ahead log needs memory that
// all processes share, which network file systems do not give. A write that
// was acknowledged survives the end of the process however it comes; a power
// failure can undo the last ones, because the disk is not waited for at every
// write (synchronous=NORMAL).
//
// While a Store is open, let nothing else in the same process open and close
// the file, not even to read it: on POSIX systems that silently drops the locks
// which SQLite holds. Copy it with SQLite's own backup.
//
// SQLite cannot call another process: a [store.Watcher] is told within about 25
// milliseconds, by a connection that looks that often, and only while somebody
// watches, whether anything was written to the file.
//
// Values rest as they are given; package store/sealed encrypts them.
package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// Store is a [store.Store] in a SQLite file with both abilities, [store.TagIndex]
// and [store.Watcher]. It must be closed.
type Store struct {
	writer *sql.DB // one connection: SQLite has one writer at a time
	reader *sql.DB // a few connections, which a writer does not block

	load, tagged, marks, create, replace, delete, sweep *sql.Stmt

	watchers   *watchers
	background sync.WaitGroup
	stop       context.CancelFunc
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.TagIndex = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
)

// Open opens the file at path, or makes it, readable for its owner only. The
// folder must exist. The error names the file.
func Open(path string) (*Store, error) {
	file, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: open %q: %w", path, err)
	}
	s := &Store{watchers: newWatchers()}
	if err := s.open(file); err != nil {
		s.closeAll()
		return nil, fmt.Errorf("sqlitestore: open %s: %w", path, err)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.background.Go(func() { s.sweepEvery(ctx, sweepInterval) })
	s.background.Go(func() { s.tellWatchers(ctx) })
	return s, nil
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	// One list as one parameter: one statement for any number of keys, whose
	// rows say which key they answer.
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: load: %w", err)
	}
	now := clock()
	entries := make([]store.Entry, len(keys))
	err = whileBusy(ctx, func() error {
		for i := range entries {
			entries[i] = store.Entry{Now: now}
		}
		rows, err := s.load.QueryContext(ctx, string(list), now.UnixMicro())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows, entries); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: load: %w", err)
	}
	return entries, nil
}

// Save implements [store.Store].
func (s *Store) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	e.Now = clock()
	if err := store.Check(key, e, e.Now); err != nil {
		return store.Entry{}, err
	}
	var version uint64
	err := whileBusy(ctx, func() (err error) {
		version, err = s.write(ctx, key, e)
		return err
	})
	switch {
	case err == store.ErrConflict:
		return store.Entry{}, err
	case err != nil:
		return store.Entry{}, fmt.Errorf("sqlitestore: save: %w", err)
	}
	e.Version = version
	return e, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	err := whileBusy(ctx, func() error {
		_, err := s.delete.ExecContext(ctx, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlitestore: delete: %w", err)
	}
	return nil
}

// Tagged implements [store.TagIndex].
func (s *Store) Tagged(ctx context.Context, tag string) ([]string, error) {
	var keys []string
	err := whileBusy(ctx, func() error {
		keys = nil
		rows, err := s.tagged.QueryContext(ctx, tag, clock().UnixMicro())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: tagged: %w", err)
	}
	return keys, nil
}

// Close ends the sweeping and the watching, waits for both, and closes the file.
// Calls that are under way are waited for; later ones fail; watchers hear nothing
// more. Closing twice is harmless.
func (s *Store) Close() error {
	s.stop()
	s.background.Wait()
	if err := s.closeAll(); err != nil {
		return fmt.Errorf("sqlitestore: close: %w", err)
	}
	return nil
}

// clock is the clock of the machine, which all processes on the file share.
func clock() time.Time { return time.Now().Round(0) }
