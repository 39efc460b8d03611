package storetest

import (
	"bytes"
	"strings"

	"github.com/goeasyauth/easyauth/store"
)

var valuePromises = []promise{{
	says:    "a value is bytes, not text",
	because: "sealed and encoded records hold every byte",
	check: func(s subject) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for _, value := range []string{
			string(every), "\x00", "a\x00b", "\xff\xfe\xfd", "'; --", `{"json":"\u0000"}`, "\r\n", " ", "NULL",
		} {
			key := s.name()
			s.wantStored(key, s.save(key, s.entry(value)))
		}
	},
}, {
	says:    "an empty value is an entry",
	because: "a mark that something was spent says all by being there",
	check: func(s subject) {
		for _, value := range [][]byte{nil, {}} {
			key := s.name()
			e := s.entry("")
			e.Value = value
			s.wantStored(key, s.save(key, e))
		}
	},
}, {
	says:    "the caller may reuse value and tags after Save",
	because: "encoders write into pooled buffers",
	check: func(s subject) {
		key := s.name()
		e := s.entry("as it was", s.name())
		want := s.save(key, e)
		want.Value, want.Tags = bytes.Clone(want.Value), []string{want.Tags[0]}
		clear(e.Value)
		e.Tags[0] = "mine"
		s.wantStored(key, want)
	},
}, {
	says:    "Save does not write to the value",
	because: "the record that was saved is the one that is served",
	check: func(s subject) {
		e := s.entry("as it was")
		s.save(s.name(), e)
		if string(e.Value) != "as it was" {
			s.broken("the caller's value became %q", e.Value)
		}
	},
}, {
	says:    "what was loaded stays as it was",
	because: "a request goes on reading the record that another one replaces",
	check: func(s subject) {
		key := s.name()
		s.save(key, s.entry("first"))
		loaded := s.load1(key)
		next := loaded
		next.Value = []byte("again")
		s.save(key, next)
		s.delete(key)
		if string(loaded.Value) != "first" {
			s.broken("the loaded value became %q", loaded.Value)
		}
	},
}}

var limitPromises = []promise{{
	says:    "keys are told apart byte by byte",
	because: "keys are hashes in base64url: one that differs in case is another user's",
	check: func(s subject) {
		base := s.name()
		saved := make(map[string]store.Entry)
		for _, suffix := range []string{"k", "K", "k%", "k_", "k*", "k?", "[k]", `k\`, `k"`, "k'", "k;", "k|", "k/../", "{k}", "~", "!"} {
			saved[base+suffix] = s.save(base+suffix, s.entry(suffix))
		}
		for key, want := range saved {
			s.wantStored(key, want)
		}
		s.delete(base + "k*")
		s.delete(base + "k%")
		s.wantStored(base+"k", saved[base+"k"])
		s.wantStored(base+"K", saved[base+"K"])
	},
}, {
	says:    "the longest key is taken",
	because: "a record that one backend takes is taken by all",
	check: func(s subject) {
		key := s.name()
		key += strings.Repeat("k", store.MaxKeyBytes-len(key))
		s.wantStored(key, s.save(key, s.entry("value")))
		s.wantAbsent(key[:len(key)-1])
	},
}, {
	says:    "the largest value is taken",
	because: "a record that one backend takes is taken by all (R13)",
	check: func(s subject) {
		key := s.name()
		s.wantStored(key, s.save(key, s.entry(strings.Repeat("\xa5\x00v", s.largest()/3+1)[:s.largest()])))
	},
}, {
	says:    "what breaks a limit is refused and changes nothing",
	because: "a record that one backend refuses is refused by all, before it is sent (DOS6)",
	check: func(s subject) {
		key := s.name()
		saved := s.save(key, s.entry("value"))
		large := s.entry(strings.Repeat("v", s.largest()+1))
		large.Version = saved.Version
		s.wantRefused(key, large, store.ErrInvalid)
		s.wantStored(key, saved)

		for _, name := range []string{
			"", " ", "a b", "a\n", "\x00", "a\x00b", "\x7f", "caf\u00e9", "\xff", strings.Repeat("k", store.MaxKeyBytes+1),
		} {
			s.wantRefused(name, s.entry("value"), store.ErrInvalid)
			tagged := s.entry("value", s.name(), name)
			tagged.Version = saved.Version
			s.wantRefused(key, tagged, store.ErrInvalid)
		}
		tagged := s.entry("value")
		for range store.MaxTags + 1 {
			tagged.Tags = append(tagged.Tags, s.name())
		}
		tagged.Version = saved.Version
		s.wantRefused(key, tagged, store.ErrInvalid)
		s.wantStored(key, saved)
	},
}}

// largest is the size of the largest value that the store takes: a wrapper that
// stores more than it is given has a limit of its own, and says so.
func (s subject) largest() int {
	if l, ok := s.store.(interface{ MaxValueBytes() int }); ok {
		return l.MaxValueBytes()
	}
	return store.MaxValueBytes
}
