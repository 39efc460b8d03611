package storetest

import (
	"context"
	"runtime"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

var watchPromises = []promise{{
	says:    "a Save is told",
	because: "requests that wait for another's refresh answer when it is done, not when they look next",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		told := s.watch(key)
		s.save(key, e)
		s.wantTold(told, key, e.Version)
	},
}, {
	says:    "the creation of an absent key is told",
	because: "who waits for something may come before it",
	check: func(s subject) {
		s.needWatch()
		key, e := s.name(), s.entry("value")
		told := s.watch(key)
		s.save(key, e)
		s.wantTold(told, key, 0)
	},
}, {
	says:    "a Delete is told",
	because: "a stream ends when its user signs out, and not at the next look",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		told := s.watch(key)
		s.delete(key)
		s.wantTold(told, key, e.Version)
	},
}, {
	says:    "by the time that a change is told Load shows it",
	because: "who is told too early looks, finds nothing new and waits for ever",
	check: func(s subject) {
		s.needWatch()
		for range 10 {
			key := s.name()
			e := s.save(key, s.entry("value"))
			told := s.watch(key)
			saved := make(chan error, 1)
			go func() {
				_, err := s.store.Save(s.Context(), key, e)
				saved <- err
			}()
			s.wantTold(told, key, e.Version)
			if err := <-saved; err != nil {
				s.broken("Save: %v", err)
			}
		}
	},
}, {
	says:    "every change is told anew",
	because: "a waiter that finds an attempt and no answer yet goes on waiting",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		told := s.watch(key)
		for range 10 {
			before := e.Version
			e = s.save(key, e)
			s.wantTold(told, key, before)
		}
	},
}, {
	says:    "a change that begins once Watch has returned is told, however soon",
	because: "who looks after Watch has returned misses nothing between the look and the wait",
	check: func(s subject) {
		s.needWatch()
		for range 20 {
			key, e := s.name(), s.entry("value")
			told := s.watch(key)
			s.save(key, e)
			s.wantTold(told, key, 0)
		}
	},
}, {
	says:    "every watcher of a key is told",
	because: "a page sends many requests at once, and all of them wait for one refresh",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		watchers := make([]<-chan struct{}, 2*racers)
		for i := range watchers {
			watchers[i] = s.watch(key)
		}
		s.save(key, e)
		for _, told := range watchers {
			s.wantTold(told, key, e.Version)
		}
	},
}, {
	says:    "a watcher that does not read holds up nobody",
	because: "a request that has left must not keep another from storing its tokens",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		s.watch(key)
		told := s.watch(key)
		saved := make(chan error, 1)
		go func() {
			next, err := e, error(nil)
			for n := 0; n < 100 && err == nil; n++ {
				next, err = s.store.Save(s.Context(), key, next)
			}
			saved <- err
		}()
		select {
		case err := <-saved:
			if err != nil {
				s.broken("Save: %v", err)
			}
		case <-time.After(patience):
			s.broken("Save waits for a watcher that does not read")
		}
		s.wantTold(told, key, e.Version)
	},
}, {
	says:    "who watches a key is told while others change theirs",
	because: "thousands of sessions refresh at the same time",
	check: func(s subject) {
		s.needWatch()
		var keys [racers]string
		var told [racers]<-chan struct{}
		for i := range keys {
			keys[i] = s.name()
			told[i] = s.watch(keys[i])
		}
		first := s.entry("value")
		s.race(func(i int) {
			e, err := first, error(nil)
			for n := 0; n < 10 && err == nil; n++ {
				before := e.Version
				if e, err = s.store.Save(s.Context(), keys[i], e); err == nil {
					err = s.heard(told[i], keys[i], before)
				}
			}
			if err != nil {
				s.Error(err)
			}
		})
	},
}, {
	says:    "watchers that come and go miss nothing",
	because: "the last that leaves and the first that comes may meet",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		s.save(key, s.entry("value"))
		visits := func(i int) {
			for n := range 10 {
				if err := s.visit(key, time.Duration((i+n)%4)*time.Millisecond); err != nil {
					s.Error(err)
					return
				}
			}
		}
		visits(0) // the last and the first every time
		s.race(visits)
	},
}, {
	says:    "a watch falls silent when its context ends, and its channel stays open",
	because: "a channel that is closed reads like one change after the other",
	check: func(s subject) {
		s.needWatch()
		key := s.name()
		e := s.save(key, s.entry("value"))
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		ended, err := store.Watch(ctx, s.store, key)
		if err != nil {
			s.broken("Watch: %v", err)
		}
		told := s.watch(key)
		cancel()
		for deadline := time.Now().Add(patience); ; {
			e = s.save(key, e)
			select {
			case _, open := <-ended:
				switch {
				case !open:
					s.broken("the channel is closed")
				case time.Now().After(deadline):
					s.broken("changes are told %v after the context ended", patience)
				}
				continue
			case <-time.After(20 * tick):
			}
			break
		}
		s.wantTold(told, key, 0) // of what was saved meanwhile
		before := e.Version
		s.save(key, e)
		s.wantTold(told, key, before)
	},
}, {
	says:    "a watch that has ended leaves no goroutine behind",
	because: "every request that waits watches: what each leaves behind adds up (DOS1)",
	check: func(s subject) {
		s.needWatch()
		const watches, others = 200, 100 // so many goroutines may the rest of the program start meanwhile
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		before := runtime.NumGoroutine()
		for range watches {
			if _, err := store.Watch(ctx, s.store, s.name()); err != nil {
				s.broken("Watch: %v", err)
			}
		}
		cancel()
		for deadline := time.Now().Add(patience); runtime.NumGoroutine() >= before+others; s.pause() {
			if time.Now().After(deadline) {
				s.broken("%d goroutines before %d watches, %d after they ended", before, watches, runtime.NumGoroutine())
			}
		}
	},
}}
