package sqlitestore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sealed"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, newFile(t)) })
}

func TestContractOnOneFile(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, path) })
}

func TestContractBetweenTwoHandles(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		path := newFile(t)
		return &alternating{stores: [2]*sqlitestore.Store{open(t, path), open(t, path)}}
	})
}

func TestContractSealed(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return seal(t, open(t, newFile(t))) })
}

func TestEntriesSurviveARestart(t *testing.T) {
	path := newFile(t)
	before, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	saved := save(t, before, "key", "value", "tag")
	deleted := save(t, before, "deleted", "value")
	if err := before.Delete(t.Context(), "deleted"); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}

	after := open(t, path)
	e := load(t, after, "key")
	if string(e.Value) != "value" || e.Version != saved.Version || len(e.Tags) != 1 || e.Tags[0] != "tag" {
		t.Errorf("loaded %q, version %d, tags %q; want what was saved, version %d", e.Value, e.Version, e.Tags, saved.Version)
	}
	e.Value = []byte("next")
	if _, err := after.Save(t.Context(), "key", e); err != nil {
		t.Errorf("Save with the version of before: %v", err)
	}
	if again := save(t, after, "deleted", "again"); again.Version == deleted.Version {
		t.Errorf("version %d came back", again.Version)
	}
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "key", "value")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), mode)
		}
	}
}

func TestModeOfAnExistingFileIsItsOwners(t *testing.T) {
	path := newFile(t)
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "key", "value")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %q, %v", files, err)
	}
	if _, err := s.Load(t.Context(), "key"); err == nil || !strings.HasPrefix(err.Error(), "sqlitestore: load: ") {
		t.Errorf("Load after Close: %v", err)
	}
}

func TestOpenSaysWhatIsWrongInOneLine(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing := filepath.Join(folder, "missing", "store.db")
	text := write("text.db", strings.Repeat("this is not a database\n", 100))
	newer := filepath.Join(folder, "newer.db")
	open(t, newer)
	alter(t, newer, "UPDATE easyauth_meta SET format = 2")

	for _, tt := range []struct{ name, path, want string }{
		{"no path", "", `sqlitestore: open "": not a file: name one, or use package memstore`},
		{"memory", ":memory:", `sqlitestore: open ":memory:": not a file: name one, or use package memstore`},
		{"missing folder", missing, "sqlitestore: open " + missing + ": no such file or directory"},
		{"a folder", folder, "sqlitestore: open " + folder + ": unable to open database file (14)"},
		{"not a database", text, "sqlitestore: open " + text + ": file is not a database (26)"},
		{"STO2 of a newer version", newer, "sqlitestore: open " + newer + ": the file has format 2, this version of easyauth knows 1: use the version that wrote it, or another file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := sqlitestore.Open(tt.path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if err := os.Remove(filepath.Join(folder, ":memory:")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file named :memory: was made: %v", err)
	}
}

func TestAnyFileNameWillDo(t *testing.T) {
	for _, name := range []string{"with space.db", "what?.db", "a#b.db", "100%25.db", "mode=ro&cache=shared", "\u00e9t\u00e9.db", "file:x"} {
		path := filepath.Join(t.TempDir(), name)
		save(t, open(t, path), "key", "value")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRelativePathIsResolvedOnce(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	s := open(t, "store.db")
	save(t, s, "key", "value")
	t.Chdir(t.TempDir())
	if e := load(t, s, "key"); string(e.Value) != "value" {
		t.Errorf("loaded %q", e.Value)
	}
	if _, err := os.Stat(filepath.Join(folder, "store.db")); err != nil {
		t.Error(err)
	}
}

func TestApplicationMayKeepTablesInTheFile(t *testing.T) {
	path := newFile(t)
	alter(t, path, "CREATE TABLE entries (key TEXT); INSERT INTO entries VALUES ('mine')")
	s := open(t, path)
	save(t, s, "key", "value")
	if n := count(t, path, "entries"); n != 1 {
		t.Errorf("%d rows of the application's", n)
	}
}

// G26: the rows of sessions that nobody asks for again are removed, by whoever
// opens the file next at the latest.
func TestExpiredRowsAreRemoved(t *testing.T) {
	path := newFile(t)
	before := open(t, path)
	kept := save(t, before, "kept", "value", "tag")
	const expired = 1201 // more than two batches
	expiresAt := time.Now().Add(2 * time.Second)
	var spent store.Entry
	for i := range expired {
		e := store.Entry{Tags: []string{"tag"}, ExpiresAt: expiresAt}
		saved, err := before.Save(t.Context(), fmt.Sprint("spent:", i), e)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			spent = saved
		}
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, path, "easyauth_entries"); n != expired+1 {
		t.Fatalf("%d rows before, want %d", n, expired+1)
	}
	until(t, func() bool { return time.Now().After(expiresAt) })

	after := open(t, path)
	until(t, func() bool { return count(t, path, "easyauth_entries") == 1 })
	if n := count(t, path, "easyauth_tags"); n != 1 {
		t.Errorf("%d tags left, want 1", n)
	}
	if e := load(t, after, "kept"); e.Version != kept.Version {
		t.Errorf("version %d, want %d", e.Version, kept.Version)
	}
	if again := save(t, after, "spent:0", "again"); again.Version == spent.Version {
		t.Errorf("version %d came back", again.Version)
	}
}

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
	save(t, s, "tagged", "value", "tag")
	release := lock(t, path)
	time.AfterFunc(300*time.Millisecond, release)

	next := first
	next.Value = []byte("second")
	if next, err := s.Save(t.Context(), "key", next); err != nil || next.Version == first.Version {
		t.Errorf("Save = version %d, %v", next.Version, err)
	}
	if n, err := s.DeleteTag(t.Context(), "tag"); n != 1 || err != nil {
		t.Errorf("DeleteTag = %d, %v", n, err)
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
		"delete":     func(ctx context.Context) error { return s.Delete(ctx, "key") },
		"delete tag": func(ctx context.Context) error { _, err := s.DeleteTag(ctx, "tag"); return err },
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
	err := s.Delete(t.Context(), "key")
	if err == nil || err.Error() != "sqlitestore: delete: database is locked (5) (SQLITE_BUSY)" {
		t.Errorf("Delete: %v", err)
	}
}

func BenchmarkStore(b *testing.B) {
	b.Run("memstore", func(b *testing.B) { storetest.Benchmark(b, memstore.New()) })
	b.Run("sqlitestore", func(b *testing.B) { storetest.Benchmark(b, open(b, newFile(b))) })
	b.Run("sealed", func(b *testing.B) { storetest.Benchmark(b, seal(b, open(b, newFile(b)))) })
}

// alternating sends every call to the other of two stores on one file.
type alternating struct {
	stores [2]*sqlitestore.Store
	calls  atomic.Int64
}

func (a *alternating) next() *sqlitestore.Store { return a.stores[a.calls.Add(1)%2] }

func (a *alternating) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	return a.next().Load(ctx, keys...)
}

func (a *alternating) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	return a.next().Save(ctx, key, e)
}

func (a *alternating) Delete(ctx context.Context, key string) error {
	return a.next().Delete(ctx, key)
}

func (a *alternating) DeleteTag(ctx context.Context, tag string) (int, error) {
	return a.next().DeleteTag(ctx, tag)
}

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

func open(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func seal(t testing.TB, inner store.Store) *sealed.Store {
	t.Helper()
	s, err := sealed.New(inner, [][]byte{bytes.Repeat([]byte("k"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t testing.TB, s store.Store, key, value string, tags ...string) store.Entry {
	t.Helper()
	e, err := s.Save(t.Context(), key, store.Entry{Value: []byte(value), Tags: tags, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func load(t testing.TB, s store.Store, key string) store.Entry {
	t.Helper()
	entries, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return entries[0]
}

// raw opens the file past the store, as another program would.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file://"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func alter(t testing.TB, path, statements string) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, path, table string) (n int) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
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

// until waits for what must happen within a while.
func until(t testing.TB, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
