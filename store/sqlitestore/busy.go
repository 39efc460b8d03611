package sqlitestore

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Another process that writes makes a call wait. SQLite's own waiting knows no
// context, so it is kept short and repeated.
const (
	busyTimeout = "busy_timeout(100)" // milliseconds
	busyPause   = 2 * time.Millisecond
	busyWithin  = 5 * time.Second
)

// whileBusy calls f until it is done, that is, until it does not find the file
// locked by somebody else. It gives up when ctx ends, with its error, and after
// busyWithin, with SQLite's. A call that found the file locked has done nothing.
func whileBusy(ctx context.Context, f func() error) error {
	err := f()
	for deadline := time.Now().Add(busyWithin); isBusy(err) && time.Now().Before(deadline); err = f() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(busyPause):
		}
	}
	return err
}

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
