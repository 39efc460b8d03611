package storetest

import (
	"bytes"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// subject is a store under examination in one case.
type subject struct {
	*testing.T
	store   store.Store
	because string
}

const (
	// long is how far in the future an entry expires that is not meant to.
	long = 5 * time.Minute
	// brief is the life of an entry that is meant to expire.
	brief = 500 * time.Millisecond
	// patience is how long a case waits for what must happen.
	patience = 5 * time.Second
	// tick is the pause between two looks.
	tick = 5 * time.Millisecond
	// resolution is how exactly a store keeps ExpiresAt.
	resolution = time.Millisecond
)

// broken fails the case, with the reason why the promise matters.
func (s subject) broken(format string, args ...any) {
	s.Helper()
	s.Logf("why it matters: %s", s.because)
	s.Fatalf(format, args...)
}

// name returns a key or tag that nobody has used.
func (subject) name() string { return "storetest:" + rand.Text() }

func (s subject) load(keys ...string) []store.Entry {
	s.Helper()
	entries, err := s.store.Load(s.Context(), keys...)
	if err != nil {
		s.broken("Load of %d keys: %v", len(keys), err)
	}
	if len(entries) != len(keys) {
		s.broken("Load of %d keys returned %d entries", len(keys), len(entries))
	}
	return entries
}

func (s subject) load1(key string) store.Entry {
	s.Helper()
	return s.load(key)[0]
}

// now is the store's clock.
func (s subject) now() time.Time {
	s.Helper()
	return s.load1(s.name()).Now
}

// entry returns a new entry that lives for a while.
func (s subject) entry(value string, tags ...string) store.Entry {
	s.Helper()
	return store.Entry{Value: []byte(value), Tags: tags, ExpiresAt: s.now().Add(long)}
}

// save stores e and checks what Save says of it.
func (s subject) save(key string, e store.Entry) store.Entry {
	s.Helper()
	saved, err := s.store.Save(s.Context(), key, e)
	switch {
	case err != nil:
		s.broken("Save with version %d: %v", e.Version, err)
	case saved.Version == 0:
		s.broken("Save returned version 0, which means absent")
	case saved.Version == e.Version:
		s.broken("Save returned the version it was given, %d", e.Version)
	case saved.Now.IsZero():
		s.broken("Save returned no Now")
	case !bytes.Equal(saved.Value, e.Value):
		s.broken("Save returned value %.40q, was given %.40q", saved.Value, e.Value)
	}
	return saved
}

func (s subject) delete(key string) {
	s.Helper()
	if err := s.store.Delete(s.Context(), key); err != nil {
		s.broken("Delete: %v", err)
	}
}

// wantAbsent checks that key has no entry.
func (s subject) wantAbsent(key string) {
	s.Helper()
	switch e := s.load1(key); {
	case e.Version != 0:
		s.broken("the key has version %d, want absent", e.Version)
	case e.Value != nil, e.Tags != nil, !e.ExpiresAt.IsZero():
		s.broken("an absent key came with parts of an entry: %+v", e)
	case e.Now.IsZero():
		s.broken("an absent key came without Now")
	}
}

// wantStored checks that key has exactly the entry that Save returned.
func (s subject) wantStored(key string, want store.Entry) {
	s.Helper()
	got := s.load1(key)
	switch {
	case got.Version != want.Version:
		s.broken("stored version %d, want %d", got.Version, want.Version)
	case !bytes.Equal(got.Value, want.Value):
		s.broken("stored value %.40q (%d bytes), want %.40q (%d bytes)", got.Value, len(got.Value), want.Value, len(want.Value))
	case got.ExpiresAt.Sub(want.ExpiresAt).Abs() >= resolution:
		s.broken("stored expiry %v, want %v", got.ExpiresAt, want.ExpiresAt)
	case got.Now.IsZero():
		s.broken("Load returned no Now")
	case s.tags() && !slices.Equal(got.Tags, want.Tags):
		s.broken("stored tags %q, want %q", got.Tags, want.Tags)
	}
}

// wantRefused checks that Save of e fails as want says.
func (s subject) wantRefused(key string, e store.Entry, want error) {
	s.Helper()
	if _, err := s.store.Save(s.Context(), key, e); !isError(err, want) {
		s.broken("Save with version %d: error %v, want %v", e.Version, err, want)
	}
}

// awaitAbsent waits until key has expired and checks that it did so at its
// time, by the store's clock.
func (s subject) awaitAbsent(key string, expiresAt time.Time) {
	s.Helper()
	deadline := time.Now().Add(patience)
	for {
		e := s.load1(key)
		left := expiresAt.Sub(e.Now)
		switch {
		case e.Version != 0 && left <= 0:
			s.broken("the entry is there %v after it expired", -left)
		case e.Version == 0 && left >= resolution:
			s.broken("the entry is gone %v before it expires", left)
		case e.Version == 0:
			return
		case time.Now().After(deadline):
			s.broken("the store's clock did not get to the entry's expiry: %v left", left)
		}
		s.pause()
	}
}

// pause lets real time pass between two looks.
func (s subject) pause() {
	s.Helper()
	select {
	case <-time.After(tick):
	case <-s.Context().Done():
		s.Fatal(s.Context().Err())
	}
}
