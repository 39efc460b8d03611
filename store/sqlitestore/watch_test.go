package sqlitestore_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

func TestWatcherHearsAnotherProcess(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	told := watch(t, s, "key")
	for _, task := range []string{"save", "delete"} {
		if out, err := child(t, task, path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		wantTold(t, told)
	}
}

// A key that is absent at both looks was there in between.
func TestWatcherHearsWhatIsUndoneAtOnce(t *testing.T) {
	path := newFile(t)
	s, other := open(t, path), open(t, path)
	told := watch(t, s, "key")
	for range 5 {
		drain(told)
		save(t, other, "key", "value")
		if err := other.Delete(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		wantTold(t, told)
	}
}

// A storm of others' refreshes must not wake everybody who waits for their own.
func TestWatcherIsNotToldOfOtherKeys(t *testing.T) {
	path := newFile(t)
	s, other := open(t, path), open(t, path)
	told := watch(t, s, "key")
	for i := range 10 {
		save(t, other, "other"+strings.Repeat("x", i), "value")
		time.Sleep(10 * time.Millisecond)
	}
	wantQuiet(t, told)
}

func TestWatchingResumesWhenSomebodyComesBack(t *testing.T) {
	path := newFile(t)
	s, other := open(t, path), open(t, path)
	e := save(t, other, "key", "value")
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		told, err := s.Watch(ctx, "key")
		if err != nil {
			t.Fatal(err)
		}
		if e, err = other.Save(t.Context(), "key", e); err != nil {
			t.Fatal(err)
		}
		wantTold(t, told)
		cancel()
		time.Sleep(60 * time.Millisecond) // nobody watches
	}
}

func TestWatchingOutlivesAnError(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	e := save(t, s, "key", "value")
	told := watch(t, s, "key")
	alter(t, path, "ALTER TABLE easyauth_entries RENAME TO gone")
	if _, err := s.Watch(t.Context(), "key"); err == nil {
		t.Fatal("Watch works without its table")
	}
	time.Sleep(100 * time.Millisecond)
	alter(t, path, "ALTER TABLE gone RENAME TO easyauth_entries")
	if _, err := s.Save(t.Context(), "key", e); err != nil {
		t.Fatal(err)
	}
	wantTold(t, told)
}

func TestCloseEndsTheWatching(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := sqlitestore.Open(newFile(t))
	if err != nil {
		t.Fatal(err)
	}
	told := watch(t, s, "key")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantQuiet(t, told)
	if _, err := s.Watch(t.Context(), "key"); err == nil || !strings.HasPrefix(err.Error(), "sqlitestore: watch: ") {
		t.Errorf("Watch after Close: %v", err)
	}
	until(t, func() bool { return runtime.NumGoroutine() <= before })
}

func watch(t testing.TB, s store.Watcher, key string) <-chan struct{} {
	t.Helper()
	told, err := s.Watch(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func wantTold(t testing.TB, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
}

func wantQuiet(t testing.TB, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
		t.Error("told of a change that there was not")
	case <-time.After(100 * time.Millisecond):
	}
}

// drain takes what may still be told of changes that have been made.
func drain(told <-chan struct{}) {
	for {
		select {
		case <-told:
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}
