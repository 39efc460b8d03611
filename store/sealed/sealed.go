// Package sealed encrypts what rests in a store, so that a copy of the store is
// of no use without the keys (docs/threats.md SES9), and so that whoever can write
// to the store cannot write a session (STO1).
//
// Values are encrypted and authenticated, each bound to its key: a row that is
// copied to another key does not open (SES10). Keys, tags, expiry, versions and
// sizes rest in the clear. What sealing cannot see is a row that is put back to
// an earlier state of its own: whoever can write to the store can undo a Save.
package sealed

import (
	"context"
	"fmt"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/internal/versioned"
	"github.com/goeasyauth/easyauth/store"
)

// MaxValueBytes is the largest value that a sealed Store takes. What becomes of
// it fits into store.MaxValueBytes.
const MaxValueBytes = 256 << 10

// A row is opened once per version and not once per request. The cache is
// bounded in number and by the size of what goes into it.
const (
	cachedRows     = 4096
	cachedRowBytes = 64 << 10
)

// Store seals values on their way into another store and opens them on their
// way out. It is a [store.Store], and has the abilities of the other store: tags
// and changes pass through as they are.
type Store struct {
	// OnUnsealed, where it is set, is told the key of each row that does not
	// open: about once per version, not once per request. Either the keys were
	// changed or somebody has written to the store. It must be set before the
	// Store is used, return soon, and be safe for concurrent use.
	OnUnsealed func(key string)

	inner  store.Store
	sealer *seal.Sealer
	opened *versioned.Cache[[]byte] // nil value: does not open
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.TagIndex = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
)

// New returns a Store over inner. The first of keys seals, all of them open: to
// rotate, put a new key in front and keep the old one for as long as sessions
// live (STO3). Every key is at least 32 random bytes.
func New(inner store.Store, keys [][]byte) (*Store, error) {
	sealer, err := seal.New(keys, "store", 0)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	return &Store{inner: inner, sealer: sealer, opened: versioned.New[[]byte](cachedRows)}, nil
}

// Load implements [store.Store]. An entry that does not open (no key opens it,
// it was altered, or it belongs to another key) is no error: it comes with its
// Version and Now, and with a nil Value, so that the layers above take it for no
// record and can save over it (STO1, G23). The Value of an entry that opens is
// never nil.
func (s *Store) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	entries, err := s.inner.Load(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if e := &entries[i]; e.Version != 0 {
			e.Value = s.open(keys[i], e.Version, e.Value)
		}
	}
	return entries, nil
}

// Save implements [store.Store]. The largest value is MaxValueBytes.
func (s *Store) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	plaintext := e.Value
	if len(plaintext) > MaxValueBytes {
		return store.Entry{}, fmt.Errorf("%w: value of %d bytes", store.ErrInvalid, len(plaintext))
	}
	var err error
	if e.Value, err = s.sealer.Seal(key, plaintext); err != nil {
		return store.Entry{}, fmt.Errorf("sealed: save: %w", err)
	}
	if e, err = s.inner.Save(ctx, key, e); err != nil {
		return store.Entry{}, err
	}
	e.Value = plaintext
	s.remember(key, e.Version, append([]byte{}, plaintext...))
	return e, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	s.opened.Delete(key)
	return s.inner.Delete(ctx, key)
}

// Tagged implements [store.TagIndex]; its error is an [errors.ErrUnsupported]
// where the inner store is none.
func (s *Store) Tagged(ctx context.Context, tag string) ([]string, error) {
	return store.Tagged(ctx, s.inner, tag)
}

// Watch implements [store.Watcher]; its error is an [errors.ErrUnsupported]
// where the inner store is none.
func (s *Store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return store.Watch(ctx, s.inner, key)
}

// MaxValueBytes returns the constant of that name: package storetest asks it of
// stores that cannot take store.MaxValueBytes.
func (s *Store) MaxValueBytes() int { return MaxValueBytes }

// open returns what was sealed in the given version of key, nil if it does not
// open.
func (s *Store) open(key string, version uint64, sealed []byte) []byte {
	if plaintext, ok := s.opened.Get(key, version); ok {
		return plaintext
	}
	var plaintext []byte
	if len(sealed) <= store.MaxValueBytes { // whatever a backend lets in (DOS6)
		plaintext, _ = s.sealer.Open(key, sealed) // the one error there is says no more than nil
	}
	s.remember(key, version, plaintext)
	if plaintext == nil && s.OnUnsealed != nil {
		s.OnUnsealed(key)
	}
	return plaintext
}

func (s *Store) remember(key string, version uint64, plaintext []byte) {
	if len(plaintext) <= cachedRowBytes {
		s.opened.Put(key, version, plaintext)
	}
}
