// Package store says where records rest: a small versioned key-value contract
// that every backend fulfils and that knows nothing of sessions or tokens.
//
// A backend promises one thing beyond storing bytes: [Store.Save] compares the
// version it is given with the version it holds and writes only if they are the
// same, atomically, for every process that shares the backend. Everything that
// easyauth needs on top of that (leases, attempts, tombstones) is a field of
// the record, decided in the rooms above.
//
// Two abilities are optional. A [TagIndex] finds the entries that carry a tag,
// such as all sessions of one user. A [Watcher] tells of changes, so that who
// waits for another process need not look again and again.
//
// [github.com/goeasyauth/easyauth/store/storetest] is this contract in
// executable form; a backend that passes it can carry easyauth.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits that every backend enforces, so that a record which one backend takes
// is taken by all of them.
const (
	// MaxKeyBytes is the longest key or tag. Both are printable ASCII without
	// space. They rest in the clear: what is secret or personal is hashed
	// before it becomes one (docs/threats.md SES9, COO6).
	MaxKeyBytes = 256
	// MaxValueBytes is the largest value that a backend takes (docs/threats.md R13
	// allows a session row 256 KiB of plaintext; sealing grows a value).
	MaxValueBytes = 512 << 10
	// MaxTags is how many tags one entry may carry.
	MaxTags = 8
)

// Store keeps entries under keys. It is safe for concurrent use, by goroutines
// and, where the backend is shared, by processes. Every method honours the
// deadline and the cancellation of ctx: its error then is that of ctx.
//
// An entry past its ExpiresAt, by the store's clock, is absent: Load does not
// return it, and Save treats its key as new.
type Store interface {
	// Load returns one entry per key, in the order of keys, in one round trip.
	// A missing key is not an error: its Entry has Version 0 and no Value, and
	// carries Now all the same. The entries of one call need not be one
	// snapshot. The slice is the caller's; a Value or Tags in it may be shared
	// and must not be modified.
	Load(ctx context.Context, keys ...string) ([]Entry, error)

	// Save writes e under key if e.Version is the version that is stored, and
	// returns e with its new Version and with Now. Version 0 means that the key
	// must be absent. Anything else is ErrConflict and changes nothing. A key
	// never has the same version twice, not even after Delete or expiry.
	//
	// ExpiresAt must lie in the future of the store's clock (ErrExpired): no
	// entry lives for ever. It is kept to the millisecond at least. Save does
	// not keep e.Value or e.Tags; the caller may reuse them.
	Save(ctx context.Context, key string, e Entry) (Entry, error)

	// Delete removes key. An absent key is not an error.
	Delete(ctx context.Context, key string) error
}

// Entry is one stored record.
type Entry struct {
	Value     []byte    // opaque; the layers above seal and encode it
	Tags      []string  // names under which a backend may index the entry; see TagIndex
	ExpiresAt time.Time // absent from then on
	Version   uint64    // 0: not stored
	Now       time.Time // the store's clock at Load or Save; the only clock that processes share
}

// TagIndex is the optional ability to find entries by tag. A backend that has it
// returns an entry's Tags from Load. A wrapper has the method whatever it wraps:
// ask with the function [Tagged].
type TagIndex interface {
	// Tagged returns the keys of the entries that carry tag, each once, in no
	// order, nil for none. It looks at whole tags, byte by byte. An entry whose
	// Save has returned is found; entries that are saved, deleted or expire
	// while Tagged runs may or may not be.
	Tagged(ctx context.Context, tag string) ([]string, error)
}

// Tagged returns the keys of the entries of s that carry tag. Where s, or the
// store that s wraps, is no [TagIndex] the error is an [errors.ErrUnsupported].
func Tagged(ctx context.Context, s Store, tag string) ([]string, error) {
	if x, ok := s.(TagIndex); ok {
		return x.Tagged(ctx, tag)
	}
	return nil, fmt.Errorf("store: search by tag: %w", errors.ErrUnsupported)
}

// Watcher is the optional ability to tell of changes, so that who waits for one
// need not look again and again. A wrapper has the method whatever it wraps: ask
// with the function [Watch].
type Watcher interface {
	// Watch returns a channel that receives a value soon after each change that
	// a Save or Delete of key makes and that began after Watch returned,
	// whichever process made it; Load shows the change by then. So who watches
	// first and looks then misses nothing. Several changes may be told as one,
	// one that is none may be told, and that an entry expires need not be told.
	//
	// The watch lasts until ctx ends, so it must be one that does; the channel
	// falls silent and is never closed. Nobody waits for who does not read it.
	// The error means that nothing will be told.
	//
	// A backend whose connection is lost may lose what would have been told in
	// the meantime: who waits looks at the entry now and then all the same.
	Watch(ctx context.Context, key string) (<-chan struct{}, error)
}

// Watch watches key in s. Where s, or the store that s wraps, is no [Watcher]
// the error is an [errors.ErrUnsupported].
func Watch(ctx context.Context, s Store, key string) (<-chan struct{}, error) {
	if w, ok := s.(Watcher); ok {
		return w.Watch(ctx, key)
	}
	return nil, fmt.Errorf("store: watching: %w", errors.ErrUnsupported)
}

// Errors that callers branch on. Any other error of a Store means that the
// backend could not be asked: nothing is known, not even whether a Save took
// place, and nobody is signed out for it.
var (
	// ErrConflict: the stored version is not the one given.
	ErrConflict = errors.New("store: version conflict")
	// ErrExpired: the entry given to Save had no future.
	ErrExpired = errors.New("store: entry expires in the past")
	// ErrInvalid: the key, the tags or the value break a limit of this package.
	ErrInvalid = errors.New("store: key or value out of bounds")
)

// Check reports whether key and e may be saved at now, as ErrInvalid or
// ErrExpired with the reason. Backends call it first in Save.
func Check(key string, e Entry, now time.Time) error {
	switch {
	case !validName(key):
		return fmt.Errorf("%w: key", ErrInvalid)
	case len(e.Value) > MaxValueBytes:
		return fmt.Errorf("%w: value of %d bytes", ErrInvalid, len(e.Value))
	case len(e.Tags) > MaxTags:
		return fmt.Errorf("%w: %d tags", ErrInvalid, len(e.Tags))
	case !e.ExpiresAt.After(now):
		return ErrExpired
	}
	for _, tag := range e.Tags {
		if !validName(tag) {
			return fmt.Errorf("%w: tag", ErrInvalid)
		}
	}
	return nil
}

// validName reports whether s may be a key or a tag.
func validName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return 0 < len(s) && len(s) <= MaxKeyBytes
}
