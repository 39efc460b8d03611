package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

var loadPromises = []promise{{
	says:    "an absent key is a zero entry that carries the clock",
	because: "a stranger's cookie is no error, and deadlines are judged by the store's clock even where nothing is stored",
	check: func(s subject) {
		s.wantAbsent(s.name())
	},
}, {
	says:    "entries come in the order of the keys",
	because: "a session and its tokens are read by position in one call",
	check: func(s subject) {
		one, two, three := s.name(), s.name(), s.name()
		s.save(three, s.entry("three"))
		s.save(one, s.entry("one"))
		s.save(two, s.entry("two"))
		for _, keys := range [][]string{
			{one, two, three}, {three, one, two}, {s.name(), two, s.name(), one}, {two}, {two, one},
		} {
			names := map[string]string{one: "one", two: "two", three: "three"}
			for i, e := range s.load(keys...) {
				if string(e.Value) != names[keys[i]] {
					s.broken("entry %d is %q, want %q", i, e.Value, names[keys[i]])
				}
			}
		}
	},
}, {
	says:    "a key asked for twice is answered twice",
	because: "callers index the answer by the question",
	check: func(s subject) {
		key, other := s.name(), s.name()
		s.save(key, s.entry("value"))
		s.save(other, s.entry("other"))
		entries := s.load(key, other, key)
		for i, want := range []string{"value", "other", "value"} {
			if string(entries[i].Value) != want {
				s.broken("entry %d is %q, want %q", i, entries[i].Value, want)
			}
		}
	},
}, {
	says:    "no keys, no entries, no error",
	because: "an empty list needs no special case above",
	check: func(s subject) {
		s.load()
	},
}, {
	says:    "a hundred keys are one call",
	because: "limits of a backend's query language are the backend's to solve",
	check: func(s subject) {
		keys := make([]string, 100)
		for i := range keys {
			keys[i] = s.name()
			s.save(keys[i], s.entry(fmt.Sprint(i)))
		}
		slices.Reverse(keys)
		for i, e := range s.load(keys...) {
			if want := fmt.Sprint(99 - i); string(e.Value) != want {
				s.broken("entry %d is %q, want %q", i, e.Value, want)
			}
		}
	},
}, {
	says:    "the slice is the caller's",
	because: "a wrapper puts opened values into it without a copy",
	check: func(s subject) {
		key := s.name()
		saved := s.save(key, s.entry("value"))
		entries := s.load(key, s.name())
		entries[0] = store.Entry{Value: []byte("mine")}
		s.wantStored(key, saved)
	},
}, {
	says:    "the clock goes on and never back",
	because: "leases and expiry are compared across calls and across processes",
	check: func(s subject) {
		// What the operating system's clock does when it is set is not the
		// store's fault: hence the tolerance.
		const tolerance = 100 * time.Millisecond
		first := s.now()
		latest := first
		for deadline := time.Now().Add(2 * time.Second); !latest.After(first.Add(2 * tick)); s.pause() {
			if time.Now().After(deadline) {
				s.broken("the clock stands still at %v", latest)
			}
			key := s.name()
			for _, now := range []time.Time{s.now(), s.save(key, s.entry("v")).Now, s.load1(key).Now} {
				if now.Before(latest.Add(-tolerance)) {
					s.broken("the clock went back from %v to %v", latest, now)
				}
				latest = now
			}
		}
	},
}}
