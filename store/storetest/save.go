package storetest

import (
	"time"

	"github.com/goeasyauth/easyauth/store"
)

var savePromises = []promise{{
	says:    "version 0 creates",
	because: "a login attempt is spent by being the first to create its mark (REP1)",
	check: func(s subject) {
		key := s.name()
		s.wantStored(key, s.save(key, s.entry("first")))
	},
}, {
	says:    "version 0 never overwrites",
	because: "the second to spend a login attempt must lose (REP1), and a new session never takes the place of another",
	check: func(s subject) {
		key := s.name()
		first := s.save(key, s.entry("first"))
		s.wantRefused(key, s.entry("second"), store.ErrConflict)
		s.wantStored(key, first)
	},
}, {
	says:    "the stored version replaces value, tags and expiry",
	because: "load, change, save is how every record above is written",
	check: func(s subject) {
		key := s.name()
		first := s.save(key, s.entry("first", s.name(), s.name()))
		next := s.load1(key)
		next.Value, next.Tags = []byte("second"), []string{s.name()}
		next.ExpiresAt = next.ExpiresAt.Add(time.Minute)
		second := s.save(key, next)
		if second.Version == first.Version {
			s.broken("both versions are %d", first.Version)
		}
		s.wantStored(key, second)
	},
}, {
	says:    "a stale version conflicts and changes nothing",
	because: "a slow process must not bring an old refresh token back",
	check: func(s subject) {
		key := s.name()
		first := s.save(key, s.entry("first"))
		second := first
		second.Value = []byte("second")
		second = s.save(key, second)
		first.Value, first.Tags = []byte("late"), []string{s.name()}
		first.ExpiresAt = first.ExpiresAt.Add(time.Hour)
		s.wantRefused(key, first, store.ErrConflict)
		s.wantStored(key, second)
	},
}, {
	says:    "a version that never was conflicts",
	because: "comparison is for equality: a larger number is no newer knowledge",
	check: func(s subject) {
		key := s.name()
		first := s.save(key, s.entry("first"))
		for _, version := range []uint64{first.Version + 1, first.Version + 1000, 1 << 62, 1<<64 - 1} {
			e := s.entry("invented")
			e.Version = version
			s.wantRefused(key, e, store.ErrConflict)
		}
		s.wantStored(key, first)
	},
}, {
	says:    "a version for an absent key conflicts and creates nothing",
	because: "a session that was ended must not come back with a late write",
	check: func(s subject) {
		for _, version := range []uint64{1, 2, 1 << 62, 1<<64 - 1} {
			key := s.name()
			e := s.entry("invented")
			e.Version = version
			s.wantRefused(key, e, store.ErrConflict)
			s.wantAbsent(key)
		}
	},
}, {
	says:    "a key never has the same version twice",
	because: "caches of opened rows are keyed by key and version, and a stale version must stay stale for ever",
	check: func(s subject) {
		key, other := s.name(), s.name()
		seen := make(map[uint64]bool)
		for range 20 {
			e := s.entry("life")
			for range 3 {
				e = s.save(key, e)
				if seen[e.Version] {
					s.broken("version %d came back", e.Version)
				}
				seen[e.Version] = true
			}
			s.delete(other)
			s.save(other, s.entry("bystander"))
			s.delete(key)
		}
	},
}}

var deletePromises = []promise{{
	says:    "a deleted key is absent and its neighbours are not",
	because: "signing out ends one session",
	check: func(s subject) {
		key := s.name()
		longer := key + "x"
		s.save(key, s.entry("value"))
		neighbour := s.save(longer, s.entry("neighbour"))
		s.delete(key)
		s.wantAbsent(key)
		s.wantStored(longer, neighbour)
	},
}, {
	says:    "an absent key is not an error",
	because: "signing out twice is signing out",
	check: func(s subject) {
		key := s.name()
		s.delete(key)
		s.save(key, s.entry("value"))
		s.delete(key)
		s.delete(key)
		s.wantAbsent(key)
	},
}, {
	says:    "a stale version conflicts after Delete and after re-creation",
	because: "a refresh that began before the sign-out must not resurrect the session",
	check: func(s subject) {
		key := s.name()
		before := s.save(key, s.entry("before"))
		s.delete(key)
		s.wantRefused(key, before, store.ErrConflict)
		s.wantAbsent(key)
		after := s.save(key, s.entry("after"))
		s.wantRefused(key, before, store.ErrConflict)
		s.wantStored(key, after)
	},
}}
