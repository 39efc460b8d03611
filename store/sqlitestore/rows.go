package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// write creates key, also in the place of an entry that has expired, or replaces
// the version that e names, and returns the version it gave.
func (s *Store) write(ctx context.Context, key string, e store.Entry) (uint64, error) {
	value, tags := e.Value, strings.Join(e.Tags, " ")
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	expiresAt, now := e.ExpiresAt.UnixMicro(), e.Now.UnixMicro()
	if e.Version == 0 {
		var version int64
		err := s.create.QueryRowContext(ctx, key, expiresAt, tags, value, now).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, store.ErrConflict
		}
		return uint64(version), err
	}
	n, err := affected(s.replace.ExecContext(ctx, expiresAt, tags, value, key, int64(e.Version), now))
	if err == nil && n == 0 {
		return 0, store.ErrConflict
	}
	return e.Version + 1, err
}

// scan reads one row into the entry that it answers.
func scan(rows *sql.Rows, entries []store.Entry) error {
	var (
		i, expiresAt, version int64
		tags                  string
		value                 []byte
	)
	if err := rows.Scan(&i, &version, &expiresAt, &tags, &value); err != nil {
		return err
	}
	e := &entries[i]
	e.Value, e.Tags = value, strings.Fields(tags)
	e.ExpiresAt, e.Version = time.UnixMicro(expiresAt), uint64(version)
	return nil
}

func affected(r sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}
