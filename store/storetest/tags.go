package storetest

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/goeasyauth/easyauth/store"
)

var tagPromises = []promise{{
	says:    "Tagged finds every entry that carries the tag, and no other",
	because: "signing a user out everywhere ends each session of theirs and none of others'",
	check: func(s subject) {
		s.needTags()
		tag, other := s.name(), s.name()
		one, two, three := s.name(), s.name(), s.name()
		s.save(one, s.entry("one", tag))
		s.save(two, s.entry("two", other, tag))
		s.save(three, s.entry("three", other, tag+"x"))
		s.save(s.name(), s.entry("plain"))
		s.wantTagged(tag, one, two)
		s.wantTagged(other, two, three)
		s.wantTagged(s.name())
	},
}, {
	says:    "each entry is found once, however many there are",
	because: "the number of sessions is shown to people, and the one that is missing stays signed in",
	check: func(s subject) {
		s.needTags()
		tag := s.name()
		twice := s.entry("value", tag, tag)
		keys := make([]string, 300)
		for i := range keys {
			keys[i] = s.name()
			s.save(keys[i], twice)
		}
		s.wantTagged(tag, keys...)
	},
}, {
	says:    "Save replaces the tags",
	because: "a session that changed hands belongs to its last user only",
	check: func(s subject) {
		s.needTags()
		before, kept, after := s.name(), s.name(), s.name()
		key := s.name()
		e := s.save(key, s.entry("value", before, kept))
		e.Tags = []string{kept, after}
		e = s.save(key, e)
		s.wantTagged(before)
		s.wantTagged(kept, key)
		s.wantTagged(after, key)
		s.wantStored(key, e)
		e.Tags = nil
		e = s.save(key, e)
		s.wantTagged(kept)
		s.wantTagged(after)
		s.wantStored(key, e)
		e.Tags = []string{after}
		s.save(key, e)
		s.wantTagged(after, key)
	},
}, {
	says:    "a refused Save changes no tags",
	because: "the loser of a race must not move the winner's session to another user",
	check: func(s subject) {
		s.needTags()
		key, mine, theirs := s.name(), s.name(), s.name()
		e := s.save(key, s.entry("value", mine))
		s.wantRefused(key, s.entry("late", theirs), store.ErrConflict)
		s.wantTagged(theirs)
		s.wantTagged(mine, key)
		s.wantStored(key, e)
	},
}, {
	says:    "a deleted or expired entry is not found and its tags do not come back",
	because: "a session that has ended is not listed, and a new life of a key is not the old one",
	check: func(s subject) {
		s.needTags()
		tag, deleted, expired := s.name(), s.name(), s.name()
		s.save(deleted, s.entry("value", tag))
		brief := s.brief("value")
		brief.Tags = []string{tag}
		s.save(expired, brief)
		s.delete(deleted)
		s.awaitAbsent(expired, brief.ExpiresAt)
		s.wantTagged(tag)

		s.save(deleted, s.entry("untagged"))
		s.save(expired, s.entry("untagged"))
		s.wantTagged(tag)
	},
}, {
	says:    "an entry that was found and deleted never comes back",
	because: "a refresh that began before the user was signed out everywhere must not resurrect the session",
	check: func(s subject) {
		s.needTags()
		key, tag := s.name(), s.name()
		before := s.save(key, s.entry("before", tag))
		for _, found := range s.tagged(tag) {
			s.delete(found)
		}
		s.wantRefused(key, before, store.ErrConflict)
		s.wantAbsent(key)
		s.wantTagged(tag)
		after := s.save(key, s.entry("after", tag))
		if after.Version == before.Version {
			s.broken("version %d came back", after.Version)
		}
		s.wantRefused(key, before, store.ErrConflict)
		s.wantTagged(tag, key)
	},
}, {
	says:    "an entry that stays is found while others come and go",
	because: "a sign-in at the same moment must not hide a session from the one who ends them all",
	check: func(s subject) {
		s.needTags()
		tag := s.name()
		stays := []string{s.name(), s.name(), s.name()}
		e := s.entry("value", tag)
		for _, key := range stays {
			s.save(key, e)
		}
		var searched atomic.Bool
		s.race(func(i int) {
			if i == 0 {
				defer searched.Store(true)
				for range 50 {
					found, err := store.Tagged(s.Context(), s.store, tag)
					for _, key := range stays {
						if err != nil || !slices.Contains(found, key) {
							s.Errorf("Tagged misses an entry that stays among %d: %v", len(found), err)
							return
						}
					}
				}
				return
			}
			for key := s.name(); !searched.Load(); {
				if _, err := s.store.Save(s.Context(), key, e); err != nil {
					s.Errorf("Save: %v", err)
					return
				}
				if err := s.store.Delete(s.Context(), key); err != nil {
					s.Errorf("Delete: %v", err)
					return
				}
			}
		})
		s.wantTagged(tag, stays...)
	},
}, {
	says:    "tags are told apart byte by byte",
	because: "a pattern in a tag must not sign everybody out",
	check: func(s subject) {
		s.needTags()
		key, tag := s.name(), s.name()
		tags := []string{tag + "a", tag + `"q'\`, tag + "%", tag + "_", tag + "{x}"}
		s.save(key, s.entry("value", tags...))
		for _, other := range []string{"", " ", "%", "_", "*", tag, tag + "A", tag + "*", tag + "%%", tag + `"`, tag + ",", tag + "{x", tags[0] + " " + tags[1]} {
			s.wantTagged(other)
		}
		for _, tag := range tags {
			s.wantTagged(tag, key)
		}
	},
}}

// tags reports whether the store can search by tag.
func (s subject) tags() bool {
	s.Helper()
	_, err := store.Tagged(s.Context(), s.store, "storetest:nobody")
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.broken("Tagged: %v", err)
	}
	return err == nil
}

func (s subject) needTags() {
	s.Helper()
	if !s.tags() {
		s.Skip("the store is no store.TagIndex")
	}
}

func (s subject) tagged(tag string) []string {
	s.Helper()
	keys, err := store.Tagged(s.Context(), s.store, tag)
	if err != nil {
		s.broken("Tagged: %v", err)
	}
	return keys
}

// wantTagged checks that exactly the entries under keys carry tag.
func (s subject) wantTagged(tag string, keys ...string) {
	s.Helper()
	found, want := slices.Sorted(slices.Values(s.tagged(tag))), slices.Sorted(slices.Values(keys))
	if !slices.Equal(found, want) {
		s.broken("Tagged found %d keys: %.200q\nwant %d: %.200q", len(found), found, len(want), want)
	}
}
