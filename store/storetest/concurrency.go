package storetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/goeasyauth/easyauth/store"
)

// racers is how many goroutines want the same thing at once.
const racers = 16

var concurrencyPromises = []promise{{
	says:    "of many that create a key exactly one wins",
	because: "two callbacks with the same code must not both sign in (REP1)",
	check: func(s subject) {
		for range 10 {
			key := s.name()
			e := s.entry("value")
			var winner atomic.Uint64
			s.race(func(int) {
				saved, err := s.store.Save(s.Context(), key, e)
				switch {
				case errors.Is(err, store.ErrConflict):
				case err != nil:
					s.Errorf("Save: %v", err)
				case !winner.CompareAndSwap(0, saved.Version):
					s.Error("two goroutines created one key")
				}
			})
			if got := s.load1(key).Version; got != winner.Load() || got == 0 {
				s.broken("stored version %d, the winner has %d", got, winner.Load())
			}
		}
	},
}, {
	says:    "of many that replace a version exactly one wins",
	because: "compare-and-swap decides who may present a refresh token: two winners lose the grant",
	check: func(s subject) {
		const rounds = 8
		key := s.name()
		e := s.entry("")
		e.Value = binary.BigEndian.AppendUint64(nil, 0)
		s.save(key, e)
		var mu sync.Mutex
		won := make(map[uint64]bool)
		s.race(func(int) {
			for done := 0; done < rounds; {
				loaded, err := s.store.Load(s.Context(), key)
				if err != nil {
					s.Errorf("Load: %v", err)
					return
				}
				next := loaded[0]
				if len(next.Value) != 8 {
					s.Errorf("Load: a value of %d bytes, want 8", len(next.Value))
					return
				}
				next.Value = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(next.Value)+1)
				saved, err := s.store.Save(s.Context(), key, next)
				switch {
				case errors.Is(err, store.ErrConflict):
					continue
				case err != nil:
					s.Errorf("Save: %v", err)
					return
				}
				mu.Lock()
				if won[saved.Version] {
					s.Errorf("version %d was won twice", saved.Version)
				}
				won[saved.Version] = true
				mu.Unlock()
				done++
			}
		})
		if got := binary.BigEndian.Uint64(s.load1(key).Value); got != racers*rounds {
			s.broken("%d additions of one left %d: writes were lost", racers*rounds, got)
		}
	},
}, {
	says:    "a reader sees one version, whole",
	because: "half of an old record and half of a new one opens as neither",
	check: func(s subject) {
		const size, writes = 10_000, 40
		key := s.name()
		e := s.save(key, s.entry(strings.Repeat("0", size)))
		var written atomic.Bool
		s.race(func(i int) {
			if i == 0 {
				defer written.Store(true)
				for n := range writes {
					e.Value = bytes.Repeat([]byte{'1' + byte(n%9)}, size)
					saved, err := s.store.Save(s.Context(), key, e)
					if err != nil {
						s.Errorf("Save: %v", err)
						return
					}
					e = saved
				}
				return
			}
			for !written.Load() {
				loaded, err := s.store.Load(s.Context(), key)
				if err != nil {
					s.Errorf("Load: %v", err)
					return
				}
				if v := loaded[0].Value; len(v) != size || bytes.Count(v, v[:1]) != size {
					s.Errorf("a torn value of %d bytes", len(v))
					return
				}
			}
		})
	},
}, {
	says:    "different keys do not disturb each other",
	because: "one user's conflict is not another's",
	check: func(s subject) {
		first := s.entry("value")
		s.race(func(int) {
			key, e := s.name(), first
			for range 10 {
				saved, err := s.store.Save(s.Context(), key, e)
				if err != nil {
					s.Errorf("Save: %v", err)
					return
				}
				e = saved
			}
			if err := s.store.Delete(s.Context(), key); err != nil {
				s.Errorf("Delete: %v", err)
			}
		})
	},
}}

// race runs f in many goroutines that start together, and ends the case when
// one of them failed.
func (s subject) race(f func(i int)) {
	s.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
	if s.Failed() {
		s.broken("a goroutine failed")
	}
}
