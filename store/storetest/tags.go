package storetest

import (
	"errors"

	"github.com/goeasyauth/easyauth/store"
)

var tagPromises = []promise{{
	says:    "DeleteTag removes every entry that carries the tag, and no other",
	because: "signing a user out everywhere leaves nothing of theirs and everything of others",
	check: func(s subject) {
		s.needTags()
		tag, other := s.name(), s.name()
		one, two, three, plain := s.name(), s.name(), s.name(), s.name()
		s.save(one, s.entry("one", tag))
		s.save(two, s.entry("two", other, tag))
		left := s.save(three, s.entry("three", other, tag+"x"))
		untagged := s.save(plain, s.entry("plain"))
		s.wantDeleted(tag, 2)
		s.wantAbsent(one)
		s.wantAbsent(two)
		s.wantStored(three, left)
		s.wantStored(plain, untagged)
		s.wantDeleted(tag, 0)
		s.wantDeleted(other, 1)
		s.wantAbsent(three)
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
		s.wantDeleted(before, 0)
		s.wantStored(key, e)
		e.Tags = nil
		e = s.save(key, e)
		s.wantDeleted(kept, 0)
		s.wantStored(key, e)
		e.Tags = []string{after}
		s.save(key, e)
		s.wantDeleted(after, 1)
		s.wantAbsent(key)
	},
}, {
	says:    "a refused Save changes no tags",
	because: "the loser of a race must not move the winner's session to another user",
	check: func(s subject) {
		s.needTags()
		key, mine, theirs := s.name(), s.name(), s.name()
		e := s.save(key, s.entry("value", mine))
		s.wantRefused(key, s.entry("late", theirs), store.ErrConflict)
		s.wantDeleted(theirs, 0)
		s.wantStored(key, e)
	},
}, {
	says:    "a deleted or expired entry is not counted and its tags do not come back",
	because: "the count is shown to people, and a new life of a key is not the old one",
	check: func(s subject) {
		s.needTags()
		tag, deleted, expired := s.name(), s.name(), s.name()
		s.save(deleted, s.entry("value", tag))
		s.delete(deleted)
		brief := s.brief("value")
		brief.Tags = []string{tag}
		s.save(expired, brief)
		s.awaitAbsent(expired, brief.ExpiresAt)
		s.wantDeleted(tag, 0)

		again := s.save(deleted, s.entry("untagged"))
		reused := s.save(expired, s.entry("untagged"))
		s.wantDeleted(tag, 0)
		s.wantStored(deleted, again)
		s.wantStored(expired, reused)
	},
}, {
	says:    "a version that DeleteTag removed never comes back",
	because: "a refresh that began before the user was signed out everywhere must not resurrect the session",
	check: func(s subject) {
		s.needTags()
		key, tag := s.name(), s.name()
		before := s.save(key, s.entry("before", tag))
		s.wantDeleted(tag, 1)
		s.wantRefused(key, before, store.ErrConflict)
		s.wantAbsent(key)
		after := s.save(key, s.entry("after", tag))
		if after.Version == before.Version {
			s.broken("version %d came back", after.Version)
		}
		s.wantRefused(key, before, store.ErrConflict)
		s.wantStored(key, after)
	},
}, {
	says:    "tags are told apart byte by byte",
	because: "a pattern in a tag must not sign everybody out",
	check: func(s subject) {
		s.needTags()
		key, tag := s.name(), s.name()
		e := s.save(key, s.entry("value", tag+"a", tag+`"q'\`, tag+"%", tag+"_"))
		for _, other := range []string{tag, tag + "A", tag + "*", tag + "%%", "%", "_", tag + `"`, tag + ","} {
			s.wantDeleted(other, 0)
		}
		s.wantStored(key, e)
		s.wantDeleted(tag+`"q'\`, 1)
	},
}}

// tags reports whether the store can delete by tag.
func (s subject) tags() bool {
	s.Helper()
	_, err := store.DeleteTag(s.Context(), s.store, "storetest:nobody")
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.broken("DeleteTag: %v", err)
	}
	return err == nil
}

func (s subject) needTags() {
	s.Helper()
	if !s.tags() {
		s.Skip("the store is no store.TagDeleter")
	}
}

func (s subject) wantDeleted(tag string, want int) {
	s.Helper()
	got, err := store.DeleteTag(s.Context(), s.store, tag)
	if err != nil || got != want {
		s.broken("DeleteTag = %d, %v; want %d", got, err, want)
	}
}
