package sqlitestore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

func TestReadersDoNotWaitForAWriter(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "key", "value")
	lock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if e, err := s.Load(ctx, "key"); err != nil || string(e[0].Value) != "value" {
		t.Errorf("Load = %v, %v", e, err)
	}
}

func TestWriterWaitsForAnotherProcess(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	first := save(t, s, "key", "first")
	release := lock(t, path)
	time.AfterFunc(300*time.Millisecond, release)

	next := first
	next.Value = []byte("second")
	if next, err := s.Save(t.Context(), "key", next); err != nil || next.Version == first.Version {
		t.Errorf("Save = version %d, %v", next.Version, err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	saved := save(t, s, "key", "value")
	lock(t, path)
	for name, write := range map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := s.Save(ctx, "new", store.Entry{ExpiresAt: time.Now().Add(time.Hour)})
			return err
		},
		"replace": func(ctx context.Context) error {
			_, err := s.Save(ctx, "key", saved)
			return err
		},
		"delete": func(ctx context.Context) error { return s.Delete(ctx, "key") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		err := write(ctx)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
			t.Errorf("%s: %v after %v; want the context's error soon after 50ms", name, err, took)
		}
	}
	if e := load(t, s, "key"); e.Version != saved.Version {
		t.Errorf("version %d, want %d", e.Version, saved.Version)
	}
}

func TestWaitingEndsByItself(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := open(t, path)
	lock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := s.Delete(ctx, "key")
	if err == nil || err.Error() != "sqlitestore: delete: database is locked (5) (SQLITE_BUSY)" {
		t.Errorf("Delete: %v", err)
	}
}

// lock takes SQLite's write lock until the test ends or release is called.
func lock(t testing.TB, path string) (release func()) {
	t.Helper()
	db := raw(t, path)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() { db.Exec("ROLLBACK") }
}
