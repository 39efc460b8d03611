package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

var contextPromises = []promise{{
	says:    "a call with a cancelled context fails with its error and writes nothing",
	because: "a disconnect or a shutdown must be told from an outage",
	check: func(s subject) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		s.wantStopped(ctx, context.Canceled)
	},
}, {
	says:    "a call after its deadline fails with its error and writes nothing",
	because: "an outage must become an answer within a second, not a hanging request (G26)",
	check: func(s subject) {
		ctx, cancel := context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
		defer cancel()
		s.wantStopped(ctx, context.DeadlineExceeded)
	},
}, {
	says:    "a context that ends after the call changes nothing",
	because: "a write that was acknowledged stays, whatever becomes of the request",
	check: func(s subject) {
		ctx, cancel := context.WithCancel(s.Context())
		key := s.name()
		saved, err := s.store.Save(ctx, key, s.entry("value"))
		if err != nil {
			s.broken("Save: %v", err)
		}
		loaded, err := s.store.Load(ctx, key)
		cancel()
		if err != nil || string(loaded[0].Value) != "value" {
			s.broken("Load = %v, %v", loaded, err)
		}
		s.wantStored(key, saved)
	},
}, {
	says:    "cancellation in the middle of calls leaves a store that works",
	because: "browsers disconnect all the time",
	check: func(s subject) {
		key := s.name()
		e := s.save(key, s.entry("value"))
		// Whether a Save that was cancelled takes place is not known, nor when:
		// until another one has succeeded it may come in between.
		inDoubt := false
		for i := range 100 {
			ctx, cancel := context.WithCancel(s.Context())
			stop := time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
			if i%10 == 0 {
				cancel() // before the call, at least now and then
			}
			saved, err := s.store.Save(ctx, key, e)
			switch {
			case err == nil:
				e, inDoubt = saved, false
			case errors.Is(err, context.Canceled):
				e, inDoubt = s.load1(key), true
			case inDoubt && errors.Is(err, store.ErrConflict):
				e = s.load1(key)
			default:
				s.broken("Save: %v, want nil or context.Canceled", err)
			}
			if _, err := s.store.Load(ctx, key); err != nil && !errors.Is(err, context.Canceled) {
				s.broken("Load: %v, want nil or context.Canceled", err)
			}
			stop.Stop()
			cancel()
		}
		for deadline := time.Now().Add(patience); ; e = s.load1(key) {
			saved, err := s.store.Save(s.Context(), key, e)
			if inDoubt && errors.Is(err, store.ErrConflict) && time.Now().Before(deadline) {
				continue
			}
			if err != nil {
				s.broken("Save: %v", err)
			}
			s.wantStored(key, saved)
			return
		}
	},
}}

// wantStopped checks that no call does anything under a context that is over.
func (s subject) wantStopped(ctx context.Context, want error) {
	s.Helper()
	key, absent := s.name(), s.name()
	saved := s.save(key, s.entry("value", "storetest"))

	if _, err := s.store.Load(ctx, key); !isError(err, want) {
		s.broken("Load: %v, want %v", err, want)
	}
	changed := saved
	changed.Value = []byte("changed")
	if _, err := s.store.Save(ctx, key, changed); !isError(err, want) {
		s.broken("Save: %v, want %v", err, want)
	}
	if _, err := s.store.Save(ctx, absent, s.entry("created")); !isError(err, want) {
		s.broken("Save: %v, want %v", err, want)
	}
	if err := s.store.Delete(ctx, key); !isError(err, want) {
		s.broken("Delete: %v, want %v", err, want)
	}
	if s.tags() {
		if _, err := store.Tagged(ctx, s.store, "storetest"); !isError(err, want) {
			s.broken("Tagged: %v, want %v", err, want)
		}
	}
	if s.watches() {
		if _, err := store.Watch(ctx, s.store, key); !isError(err, want) {
			s.broken("Watch: %v, want %v", err, want)
		}
	}
	s.wantStored(key, saved)
	s.wantAbsent(absent)
}

// isError is errors.Is that does not take a missing error for one.
func isError(err, want error) bool { return err != nil && errors.Is(err, want) }
