package sealed_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

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
