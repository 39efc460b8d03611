package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sealed"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, memstore.New(), key('a')) })
}

func TestContractWithoutTags(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return newStore(t, struct{ store.Store }{memstore.New()}, key('a'))
	})
}

func TestSES9NothingOfAValueRestsInTheClear(t *testing.T) {
	inner := memstore.New()
	s := newStore(t, inner, key('a'))
	plaintext := strings.Repeat("refresh-token ", 20)
	save(t, s, "row", plaintext)
	save(t, s, "twin", plaintext)
	row, twin := load(t, inner, "row").Value, load(t, inner, "twin").Value
	if bytes.Contains(row, []byte("refresh")) || bytes.Equal(row, twin) {
		t.Error("the row shows what is in it")
	}
	if got := load(t, s, "row").Value; string(got) != plaintext {
		t.Errorf("opened: %q", got)
	}
}

// Whatever somebody writes into the store, the answer is an entry without a
// value, one call of the hook, and a row that can be saved over.
func TestRowThatDoesNotOpenIsNoRecord(t *testing.T) {
	for _, tt := range []struct {
		name string
		rest func(t *testing.T, inner *memstore.Store) []byte // what comes to rest under "victim"
	}{
		{"STO1 empty", func(*testing.T, *memstore.Store) []byte { return nil }},
		{"STO1 NUL", func(*testing.T, *memstore.Store) []byte { return []byte{0} }},
		{"STO1 a record in the clear", func(*testing.T, *memstore.Store) []byte { return []byte(`{"sub":"admin"}`) }},
		{"STO1 sealed by a stranger", func(t *testing.T, inner *memstore.Store) []byte {
			save(t, newStore(t, inner, key('x')), "forged", "record")
			return load(t, inner, "forged").Value
		}},
		{"SES10 row copied from another id", func(t *testing.T, inner *memstore.Store) []byte {
			save(t, newStore(t, inner, key('a')), "attacker", "record")
			return load(t, inner, "attacker").Value
		}},
		{"LOG10 a cookie of ours, for the same name", func(t *testing.T, _ *memstore.Store) []byte {
			cookies, err := seal.New([][]byte{key('a')}, "session", 0)
			if err != nil {
				t.Fatal(err)
			}
			cookie, err := cookies.Seal("victim", []byte("record"))
			if err != nil {
				t.Fatal(err)
			}
			return cookie
		}},
		{"G23 one bit altered", func(t *testing.T, inner *memstore.Store) []byte {
			save(t, newStore(t, inner, key('a')), "spare", "record")
			row := bytes.Clone(load(t, inner, "spare").Value)
			row[len(row)/2] ^= 1
			return row
		}},
		{"DOS6 as large as a row may be", func(*testing.T, *memstore.Store) []byte {
			return bytes.Repeat([]byte("A"), store.MaxValueBytes)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner := memstore.New()
			written := save(t, inner, "victim", string(tt.rest(t, inner)))
			s := newStore(t, inner, key('a'))
			var told []string
			s.OnUnsealed = func(key string) { told = append(told, key) }

			for range 3 {
				e := load(t, s, "victim")
				if e.Value != nil || e.Version != written.Version || e.Now.IsZero() {
					t.Fatalf("loaded %q, version %d; want no value and version %d", e.Value, e.Version, written.Version)
				}
			}
			if len(told) != 1 || told[0] != "victim" {
				t.Errorf("OnUnsealed was called with %q, want once with victim", told)
			}

			e := load(t, s, "victim")
			e.Value = []byte("record")
			if _, err := s.Save(t.Context(), "victim", e); err != nil {
				t.Fatalf("Save over it: %v", err)
			}
			if got := load(t, s, "victim").Value; string(got) != "record" {
				t.Errorf("after Save: %q", got)
			}
		})
	}
}

func TestDOS6OversizedRowIsNotOpened(t *testing.T) {
	sealer, err := seal.New([][]byte{key('a')}, "store", 0)
	if err != nil {
		t.Fatal(err)
	}
	row, err := sealer.Seal("row", make([]byte, store.MaxValueBytes))
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t, holding{value: row}, key('a'))
	if e := load(t, s, "row"); e.Value != nil || e.Version == 0 {
		t.Errorf("loaded %d bytes, version %d; want no value", len(e.Value), e.Version)
	}
}

// holding is a backend without a limit that has one value under every key.
type holding struct {
	store.Store
	value []byte
}

func (s holding) Load(_ context.Context, keys ...string) ([]store.Entry, error) {
	return slices.Repeat([]store.Entry{{Value: s.value, Version: 1, Now: time.Now()}}, len(keys)), nil
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

func TestSTO3KeyRotation(t *testing.T) {
	inner := memstore.New()
	save(t, newStore(t, inner, key('a')), "row", "old")

	during := newStore(t, inner, key('b'), key('a'))
	if got := load(t, during, "row").Value; string(got) != "old" {
		t.Errorf("the old key is listed: %q", got)
	}
	save(t, during, "new-row", "new")

	after := newStore(t, inner, key('b'))
	if got := load(t, after, "new-row").Value; string(got) != "new" {
		t.Errorf("the newest key seals: %q", got)
	}
	if got := load(t, after, "row"); got.Value != nil || got.Version == 0 {
		t.Errorf("the old key is gone: %q, version %d; want no value and no error", got.Value, got.Version)
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
	if _, err := s.DeleteTag(t.Context(), "tag"); !errors.Is(err, down) {
		t.Errorf("DeleteTag: %v", err)
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
