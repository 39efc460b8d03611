package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

func TestCheckGivesTheReason(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fine := store.Entry{Value: []byte("v"), Tags: []string{"tag"}, ExpiresAt: now.Add(1)}
	with := func(change func(e *store.Entry)) store.Entry {
		e := fine
		change(&e)
		return e
	}
	for _, tt := range []struct {
		name string
		key  string
		e    store.Entry
		want string // empty: may be saved
		is   error
	}{
		{"fine", "key", fine, "", nil},
		{"every printable character", "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", fine, "", nil},
		{"longest key", strings.Repeat("k", store.MaxKeyBytes), fine, "", nil},
		{"largest value", "key", with(func(e *store.Entry) { e.Value = make([]byte, store.MaxValueBytes) }), "", nil},
		{"most tags", "key", with(func(e *store.Entry) { e.Tags = slices.Repeat([]string{"tag"}, store.MaxTags) }), "", nil},
		{"no value, no tags", "key", with(func(e *store.Entry) { e.Value, e.Tags = nil, nil }), "", nil},

		{"COO6 empty key", "", fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"COO6 key with NUL", "k\x00", fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"COO6 key with space", "k k", fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"COO6 key with DEL", "k\x7f", fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"COO6 key beyond ASCII", "k\u00e9", fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"COO6 key too long", strings.Repeat("k", store.MaxKeyBytes+1), fine, "store: key or value out of bounds: key", store.ErrInvalid},
		{"DOS6 value too large", "key", with(func(e *store.Entry) { e.Value = make([]byte, store.MaxValueBytes+1) }), "store: key or value out of bounds: value of 524289 bytes", store.ErrInvalid},
		{"too many tags", "key", with(func(e *store.Entry) { e.Tags = slices.Repeat([]string{"tag"}, store.MaxTags+1) }), "store: key or value out of bounds: 9 tags", store.ErrInvalid},
		{"tag with space", "key", with(func(e *store.Entry) { e.Tags = []string{"tag", "a b"} }), "store: key or value out of bounds: tag", store.ErrInvalid},
		{"G26 expires now", "key", with(func(e *store.Entry) { e.ExpiresAt = now }), "store: entry expires in the past", store.ErrExpired},
		{"G26 never expires", "key", with(func(e *store.Entry) { e.ExpiresAt = time.Time{} }), "store: entry expires in the past", store.ErrExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := store.Check(tt.key, tt.e, now)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Check: %v", err)
			case tt.want != "" && (err == nil || err.Error() != tt.want || !errors.Is(err, tt.is)):
				t.Errorf("Check: %v\nwant:  %s", err, tt.want)
			}
		})
	}
}

func TestTaggedAsksTheStoreOrSaysThatItCannot(t *testing.T) {
	s := memstore.New()
	if _, err := s.Save(t.Context(), "key", store.Entry{Tags: []string{"tag"}, ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	plain := struct{ store.Store }{s}
	if _, err := store.Tagged(t.Context(), plain, "tag"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without the ability: %v, want errors.ErrUnsupported", err)
	}
	if keys, err := store.Tagged(t.Context(), s, "tag"); !slices.Equal(keys, []string{"key"}) || err != nil {
		t.Errorf("Tagged = %q, %v; want key", keys, err)
	}
}

func TestWatchAsksTheStoreOrSaysThatItCannot(t *testing.T) {
	s := memstore.New()
	plain := struct{ store.Store }{s}
	if _, err := store.Watch(t.Context(), plain, "key"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without the ability: %v, want errors.ErrUnsupported", err)
	}
	changed, err := store.Watch(t.Context(), s, "key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Save(t.Context(), "key", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("Save was not told")
	}
}
