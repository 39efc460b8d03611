package sealed_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sealed"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, memstore.New(), key('a')) })
}

func TestContractOverAStoreWithoutAbilities(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return newStore(t, struct{ store.Store }{memstore.New()}, key('a'))
	})
}

func TestOpenedEmptyValueIsNotTakenForUnsealed(t *testing.T) {
	inner := memstore.New()
	save(t, newStore(t, inner, key('a')), "row", "")
	s := newStore(t, inner, key('a')) // without the row in its cache
	s.OnUnsealed = func(key string) { t.Errorf("OnUnsealed(%q)", key) }
	for range 2 {
		if e := load(t, s, "row"); e.Value == nil || len(e.Value) != 0 {
			t.Errorf("loaded %v, want empty and not nil", e.Value)
		}
	}
	writer := newStore(t, memstore.New(), key('a'))
	save(t, writer, "row", "")
	if e := load(t, writer, "row"); e.Value == nil {
		t.Error("the value that was just saved is nil")
	}
}

func TestNewRefusesWeakKeysWithTheRemedy(t *testing.T) {
	_, err := sealed.New(memstore.New(), [][]byte{[]byte("secret")})
	const want = "sealed: seal: key 1 of 1 has 6 bytes: at least 32 random bytes are needed, make them with `openssl rand -base64 32`"
	if err == nil || err.Error() != want {
		t.Errorf("New: %v\nwant: %s", err, want)
	}
}

func TestLargestValueFitsTheInnerStore(t *testing.T) {
	inner := memstore.New()
	s := newStore(t, inner, key('a'))
	save(t, s, "row", strings.Repeat("v", sealed.MaxValueBytes))
	if n := len(load(t, inner, "row").Value); n > store.MaxValueBytes {
		t.Errorf("%d bytes rest", n)
	}
	_, err := s.Save(t.Context(), "large", store.Entry{Value: make([]byte, sealed.MaxValueBytes+1), ExpiresAt: time.Now().Add(time.Hour)})
	if !errors.Is(err, store.ErrInvalid) {
		t.Errorf("one byte more: %v, want ErrInvalid", err)
	}
}

func TestRowIsOpenedOncePerVersion(t *testing.T) {
	inner := memstore.New()
	writer := newStore(t, inner, key('a'))
	reader := newStore(t, inner, key('a'))
	e := save(t, writer, "row", "first")
	first := load(t, reader, "row").Value
	if again := load(t, reader, "row").Value; &again[0] != &first[0] {
		t.Error("the same version was opened twice")
	}
	e.Value = []byte("second")
	if _, err := writer.Save(t.Context(), "row", e); err != nil {
		t.Fatal(err)
	}
	if got := load(t, reader, "row").Value; string(got) != "second" {
		t.Errorf("after another process saved: %q", got)
	}
	if string(first) != "first" {
		t.Errorf("what was loaded became %q", first)
	}
}

func TestLargeRowsDoNotFillTheMemory(t *testing.T) {
	s := newStore(t, memstore.New(), key('a'))
	save(t, s, "row", strings.Repeat("v", 65<<10))
	first, again := load(t, s, "row").Value, load(t, s, "row").Value
	if len(first) != 65<<10 || &first[0] == &again[0] {
		t.Errorf("a row of %d bytes was kept in memory", len(first))
	}
}

func TestDeletedRowDoesNotComeBackFromTheCache(t *testing.T) {
	s := newStore(t, memstore.New(), key('a'))
	save(t, s, "row", "before")
	load(t, s, "row")
	if err := s.Delete(t.Context(), "row"); err != nil {
		t.Fatal(err)
	}
	if e := load(t, s, "row"); e.Version != 0 || e.Value != nil {
		t.Errorf("loaded %q", e.Value)
	}
	save(t, s, "row", "after")
	if e := load(t, s, "row"); string(e.Value) != "after" {
		t.Errorf("loaded %q", e.Value)
	}
}

func TestErrorsOfTheInnerStoreComeThrough(t *testing.T) {
	down := errors.New("down")
	faulty := storetest.NewFaulty(memstore.New())
	s := newStore(t, faulty, key('a'))
	faulty.Fail(down)
	if _, err := s.Load(t.Context(), "row"); !errors.Is(err, down) {
		t.Errorf("Load: %v", err)
	}
	if _, err := s.Save(t.Context(), "row", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}); !errors.Is(err, down) {
		t.Errorf("Save: %v", err)
	}
	if err := s.Delete(t.Context(), "row"); !errors.Is(err, down) {
		t.Errorf("Delete: %v", err)
	}
	if _, err := s.Tagged(t.Context(), "tag"); !errors.Is(err, down) {
		t.Errorf("Tagged: %v", err)
	}
	if _, err := s.Watch(t.Context(), "row"); !errors.Is(err, down) {
		t.Errorf("Watch: %v", err)
	}
}

func TestOneCallIsOneCall(t *testing.T) {
	counting := storetest.NewCounting(memstore.New())
	s := newStore(t, counting, key('a'))
	s.OnUnsealed = func(key string) { t.Errorf("OnUnsealed(%q)", key) }
	save(t, s, "row", "record")
	counting.Reset()
	if _, err := s.Load(t.Context(), "row", "absent", "row"); err != nil {
		t.Fatal(err)
	}
	if got, want := counting.Counts(), (storetest.Counts{Loads: 1, Keys: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCachedLoadAllocatesNothingMore(t *testing.T) {
	inner := memstore.New()
	s := newStore(t, inner, key('a'))
	save(t, s, "session", "s")
	save(t, s, "tokens", "t")
	keys := []string{"session", "tokens"}
	plain := testing.AllocsPerRun(100, func() { inner.Load(t.Context(), keys...) })
	if got := testing.AllocsPerRun(100, func() { s.Load(t.Context(), keys...) }); got != plain {
		t.Errorf("%v allocations, %v without sealing", got, plain)
	}
}

func BenchmarkStore(b *testing.B) {
	b.Run("plain", func(b *testing.B) { storetest.Benchmark(b, memstore.New()) })
	b.Run("sealed", func(b *testing.B) { storetest.Benchmark(b, newStore(b, memstore.New(), key('a'))) })
}

// BenchmarkUnseal is a Load of rows that are not in the cache.
func BenchmarkUnseal(b *testing.B) {
	inner := memstore.New()
	writer := newStore(b, inner, key('a'))
	keys := make([]string, 20_000)
	for i := range keys {
		keys[i] = fmt.Sprint("row:", i)
		save(b, writer, keys[i], strings.Repeat("t", 3<<10))
	}
	s := newStore(b, inner, key('a'))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if e, err := s.Load(b.Context(), keys[i%len(keys)]); err != nil || e[0].Value == nil {
			b.Fatal(err)
		}
	}
}

func key(c byte) []byte { return bytes.Repeat([]byte{c}, 32) }

func newStore(t testing.TB, inner store.Store, keys ...[]byte) *sealed.Store {
	t.Helper()
	s, err := sealed.New(inner, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t testing.TB, s store.Store, key, value string) store.Entry {
	t.Helper()
	e, err := s.Save(t.Context(), key, store.Entry{Value: []byte(value), ExpiresAt: time.Now().Add(time.Hour)})
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
