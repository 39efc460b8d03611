package storetest

import (
	"time"

	"github.com/goeasyauth/easyauth/store"
)

var expiryPromises = []promise{{
	says:    "an entry is there until ExpiresAt and absent from then on",
	because: "expiry is the end of a session even where nobody deletes it; a row that outlives it is a leak (G26)",
	check: func(s subject) {
		key := s.name()
		e := s.brief("value")
		s.save(key, e)
		s.awaitAbsent(key, e.ExpiresAt)
		s.wantAbsent(key)
		s.delete(key)
	},
}, {
	says:    "the key of an expired entry is new",
	because: "an id that has died can be used again, and only as a new one",
	check: func(s subject) {
		key := s.name()
		before := s.save(key, s.brief("before"))
		s.awaitAbsent(key, before.ExpiresAt)
		before.ExpiresAt = s.now().Add(long)
		s.wantRefused(key, before, store.ErrConflict)
		s.wantAbsent(key)
		after := s.save(key, s.entry("after"))
		if after.Version == before.Version {
			s.broken("version %d came back after expiry", after.Version)
		}
		s.wantRefused(key, before, store.ErrConflict)
		s.wantStored(key, after)
	},
}, {
	says:    "Save moves the expiry both ways",
	because: "renewal extends a session, a tombstone shortens it",
	check: func(s subject) {
		longer, shorter := s.name(), s.name()
		extended := s.save(longer, s.brief("extended"))
		began := extended.ExpiresAt
		extended.ExpiresAt = s.now().Add(long)
		extended = s.save(longer, extended)

		shortened := s.save(shorter, s.entry("shortened"))
		shortened.ExpiresAt = s.brief("").ExpiresAt
		s.save(shorter, shortened)
		s.awaitAbsent(shorter, shortened.ExpiresAt)
		for deadline := time.Now().Add(patience); s.now().Before(began) && time.Now().Before(deadline); s.pause() {
		}
		s.wantStored(longer, extended)
	},
}, {
	says:    "an entry without a future is refused and changes nothing",
	because: "a backend that takes a time to live of zero for no limit keeps tokens for ever (G26)",
	check: func(s subject) {
		key, absent := s.name(), s.name()
		saved := s.save(key, s.entry("value"))
		now := s.now()
		for _, expiresAt := range []time.Time{now, now.Add(-time.Nanosecond), now.Add(-time.Hour), time.Unix(0, 0), {}} {
			late := store.Entry{Value: []byte("late"), ExpiresAt: expiresAt}
			s.wantRefused(absent, late, store.ErrExpired)
			s.wantAbsent(absent)
			late.Version = saved.Version
			s.wantRefused(key, late, store.ErrExpired)
			s.wantStored(key, saved)
		}
	},
}, {
	says:    "ExpiresAt is kept to the millisecond, whatever its zone",
	because: "the layers above compare it with Now",
	check: func(s subject) {
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("east", 14*3600), time.FixedZone("west", -9*3600-1800)} {
			key := s.name()
			e := s.entry("value")
			e.ExpiresAt = e.ExpiresAt.Truncate(time.Second).Add(123 * time.Millisecond).In(zone)
			s.wantStored(key, s.save(key, e))
		}
	},
}, {
	says:    "a far expiry is kept",
	because: "a backend that counts in 32 bits or in nanoseconds overflows",
	check: func(s subject) {
		key := s.name()
		e := s.entry("value")
		e.ExpiresAt = s.now().AddDate(20, 0, 0)
		s.wantStored(key, s.save(key, e))
		s.delete(key)
	},
}}

// brief returns a new entry that expires within the case.
func (s subject) brief(value string) store.Entry {
	s.Helper()
	return store.Entry{Value: []byte(value), ExpiresAt: s.now().Add(brief).Truncate(resolution)}
}
