package sqlitestore

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// watchInterval is how late a change may be told.
const watchInterval = 25 * time.Millisecond

// Watch implements [store.Watcher]. A change is told within about 25
// milliseconds, whichever process made it. While somebody watches, one
// connection asks SQLite that often whether the file has changed.
func (s *Store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	marks, err := s.marksOf(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: watch: %w", err)
	}
	return s.watchers.add(ctx, key, marks[0]), nil
}

// tellWatchers tells of changes until ctx ends. An error is left for the next
// time, in a moment.
func (s *Store) tellWatchers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.watchers.come:
		}
		for len(s.watchers.list()) > 0 && ctx.Err() == nil {
			_ = s.followFile(ctx)
			pause(ctx, watchInterval)
		}
	}
}

// followFile tells of changes until nobody watches any more.
func (s *Store) followFile(ctx context.Context) error {
	conn, err := s.reader.Conn(ctx) // data_version has a meaning within one connection
	if err != nil {
		return err
	}
	defer conn.Close()
	stmt, err := conn.PrepareContext(ctx, "PRAGMA data_version")
	if err != nil {
		return err
	}
	defer stmt.Close()
	const none = math.MinInt64 // no data_version
	for seen := int64(none); ; pause(ctx, watchInterval) {
		var version int64
		if err := stmt.QueryRowContext(ctx).Scan(&version); err != nil {
			return err
		}
		// For whoever is not on this list yet Watch has not returned: the changes
		// that they are to be told of come after this version.
		keys := s.watchers.list()
		if len(keys) == 0 {
			return nil
		}
		if version == seen {
			continue
		}
		marks, err := s.marksOf(ctx, keys...)
		if err != nil {
			return err
		}
		s.watchers.compare(keys, marks)
		seen = version
	}
}

// marksOf returns what tells each of keys from how it was before; see marksSQL.
func (s *Store) marksOf(ctx context.Context, keys ...string) ([]int64, error) {
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	marks := make([]int64, len(keys))
	err = whileBusy(ctx, func() error {
		rows, err := s.marks.QueryContext(ctx, string(list))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var i, mark int64
			if err := rows.Scan(&i, &mark); err != nil {
				return err
			}
			marks[i] = mark
		}
		return rows.Err()
	})
	return marks, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
