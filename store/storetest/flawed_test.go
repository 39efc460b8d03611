package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// flawed is a plain store in memory that breaks the one promise its flaw says,
// or none.
type flawed struct {
	flaw    string
	mu      sync.Mutex
	rows    map[string]store.Entry
	buried  map[string][]string // tags of deleted entries
	version uint64
	born    time.Time
	dead    atomic.Bool
}

func newFlawed(flaw string) *flawed {
	return &flawed{flaw: flaw, rows: make(map[string]store.Entry), buried: make(map[string][]string), born: time.Now()}
}

func (s *flawed) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil && s.flaw != "reads on after the context ended" {
		s.dead.Store(s.flaw == "dies of a cancelled call")
		return nil, err
	}
	if s.dead.Load() {
		return nil, errors.New("connection is closed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flaw {
	case "answers in its own order":
		keys = slices.Sorted(slices.Values(keys))
	case "answers a key once":
		keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	case "takes ten keys":
		if len(keys) > 10 {
			return nil, errors.New("too many parameters")
		}
	}
	entries := make([]store.Entry, len(keys))
	for i, key := range keys {
		e, ok := s.alive(key)
		if !ok && s.flaw == "makes an absent key an error" {
			return nil, errors.New("not found")
		}
		if ok || s.flaw != "has no clock for absent keys" {
			e.Now = s.now()
		}
		if s.flaw == "keeps no expiry" {
			e.ExpiresAt = time.Time{}
		}
		entries[i] = e
	}
	return entries, nil
}

func (s *flawed) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if err := ctx.Err(); err != nil && s.flaw != "writes on after the context ended" {
		return store.Entry{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Now = s.now()
	switch err := store.Check(key, e, e.Now); {
	case s.flaw == "takes short keys" && len(key) > 64, s.flaw == "takes small values" && len(e.Value) > 64<<10:
		return store.Entry{}, store.ErrInvalid
	case s.flaw == "has no limits" && errors.Is(err, store.ErrInvalid):
	case s.flaw == "takes no time to live for no limit" && errors.Is(err, store.ErrExpired):
		e.ExpiresAt = e.Now.Add(time.Hour)
	case err != nil:
		return store.Entry{}, err
	}
	stored, ok := s.alive(key)
	if s.flaw == "keeps the tags of the deleted" && !ok {
		e.Tags = append(slices.Clone(e.Tags), s.buried[key]...)
	}
	conflict := stored.Version != e.Version
	switch s.flaw {
	case "overwrites with version 0":
		conflict = conflict && e.Version != 0
	case "lets the last writer win":
		conflict = conflict && (e.Version == 0 || stored.Version == 0)
	case "takes a larger version for newer":
		conflict = conflict && (stored.Version == 0 || e.Version < stored.Version)
	case "creates whatever the version":
		conflict = conflict && stored.Version != 0
	case "does not lock":
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if conflict {
		if s.flaw == "tags before it compares" {
			stored.Tags = e.Tags
			s.rows[key] = stored
		}
		return store.Entry{}, store.ErrConflict
	}
	s.version++
	row := e
	row.Version = s.version
	if s.flaw == "counts versions per key" {
		row.Version = stored.Version + 1
	}
	e.Version = row.Version
	original := e.Value
	row.Value, row.Tags = bytes.Clone(e.Value), slices.Clone(e.Tags)
	switch s.flaw {
	case "keeps the caller's value":
		row.Value = e.Value
	case "writes into the caller's value":
		e.Value = bytes.Clone(row.Value)
		clear(original)
	case "writes into its own value":
		if len(stored.Value) >= len(row.Value) {
			row.Value = append(stored.Value[:0], row.Value...)
		}
	case "writes in two halves":
		half := row
		half.Value = slices.Concat(row.Value[:len(row.Value)/2], stored.Value[min(len(stored.Value), len(row.Value)/2):])
		s.rows[key] = half
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
	case "ends a value at NUL":
		row.Value, _, _ = bytes.Cut(row.Value, []byte{0})
	case "stores text":
		row.Value = bytes.ToValidUTF8(row.Value, []byte("?"))
	case "takes an empty value for none":
		if len(row.Value) == 0 {
			delete(s.rows, key)
			return e, nil
		}
	case "keeps whole seconds":
		row.ExpiresAt = row.ExpiresAt.Truncate(time.Second).Add(time.Second)
	case "overflows in 2038":
		if row.ExpiresAt.Unix() > 1<<31 {
			row.ExpiresAt = time.Unix(row.ExpiresAt.Unix()-1<<32, 0)
		}
	case "never moves an expiry":
		if stored.Version != 0 {
			row.ExpiresAt = stored.ExpiresAt
		}
	case "adds tags":
		row.Tags = append(row.Tags, stored.Tags...)
	}
	s.rows[s.spell(key)] = row
	return e, nil
}

func (s *flawed) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil && s.flaw != "deletes on after the context ended" {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flaw {
	case "deletes by prefix":
		for other := range s.rows {
			if strings.HasPrefix(other, key) {
				delete(s.rows, other)
			}
		}
	case "makes deleting nothing an error":
		if _, ok := s.alive(key); !ok {
			return errors.New("not found")
		}
	}
	if s.flaw == "keeps the tags of the deleted" {
		s.buried[key] = s.rows[key].Tags
	}
	delete(s.rows, s.spell(key))
	return nil
}

func (s *flawed) Tagged(ctx context.Context, tag string) ([]string, error) {
	if err := ctx.Err(); err != nil && s.flaw != "searches on after the context ended" {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for key, row := range s.rows {
		matches := func(t string) bool { return t == tag }
		switch s.flaw {
		case "matches tags by prefix":
			matches = func(t string) bool { return strings.HasPrefix(t, tag) }
		case "matches tags by pattern":
			matches = func(t string) bool { ok, _ := path.Match(tag, t); return ok }
		case "finds an entry once per mention":
			for _, t := range row.Tags {
				if t == tag {
					keys = append(keys, key)
				}
			}
			continue
		case "finds a page":
			if len(keys) == 100 {
				return keys, nil
			}
		case "finds nothing while others write":
			if version := s.version; version > 0 {
				s.mu.Unlock()
				runtime.Gosched()
				s.mu.Lock()
				if s.version != version {
					return keys, nil
				}
			}
		}
		if _, ok := s.alive(key); slices.ContainsFunc(row.Tags, matches) && (ok || s.flaw == "finds the dead") {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// alive returns the entry under key unless it has expired.
func (s *flawed) alive(key string) (store.Entry, bool) {
	row, ok := s.rows[s.spell(key)]
	if !ok || !row.ExpiresAt.After(time.Now()) && s.flaw != "keeps entries for ever" {
		return store.Entry{}, false
	}
	return row, true
}

func (s *flawed) now() time.Time {
	if s.flaw == "has a clock that stands still" {
		return s.born
	}
	return time.Now()
}

func (s *flawed) spell(key string) string {
	if s.flaw == "ignores case" {
		return strings.ToLower(key)
	}
	return key
}
