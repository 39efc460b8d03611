package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// watches reports whether the store tells of changes.
func (s subject) watches() bool {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	_, err := store.Watch(ctx, s.store, "storetest:nobody")
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.broken("Watch: %v", err)
	}
	return err == nil
}

func (s subject) needWatch() {
	s.Helper()
	if !s.watches() {
		s.Skip("the store is no store.Watcher")
	}
}

// watch watches key until the case ends.
func (s subject) watch(key string) <-chan struct{} {
	s.Helper()
	told, err := store.Watch(s.Context(), s.store, key)
	if err != nil {
		s.broken("Watch: %v", err)
	}
	return told
}

// visit watches key, lingers, changes it, waits to be told and leaves.
func (s subject) visit(key string, linger time.Duration) error {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	told, err := store.Watch(ctx, s.store, key)
	if err != nil {
		return fmt.Errorf("Watch: %w", err)
	}
	time.Sleep(linger)
	for {
		loaded, err := s.store.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		switch _, err := s.store.Save(ctx, key, loaded[0]); {
		case errors.Is(err, store.ErrConflict):
			continue
		case err != nil:
			return fmt.Errorf("Save: %w", err)
		}
		select {
		case <-told:
			return nil
		case <-time.After(patience):
			return errors.New("a change was not told")
		}
	}
}

// wantTold checks that told makes known that key has another version than before,
// 0 for absent.
func (s subject) wantTold(told <-chan struct{}, key string, before uint64) {
	s.Helper()
	if err := s.heard(told, key, before); err != nil {
		s.broken("%v", err)
	}
}

// heard waits for a change as callers do, who look whenever there is something to
// hear: not every value need mean a change, but one comes after each.
func (s subject) heard(told <-chan struct{}, key string, before uint64) error {
	timeout := time.After(patience)
	for values := 0; ; values++ {
		select {
		case _, open := <-told:
			if !open {
				return errors.New("the channel is closed")
			}
		case <-timeout:
			return fmt.Errorf("%d values within %v, and none after which Load showed the change", values, patience)
		}
		loaded, err := s.store.Load(s.Context(), key)
		if err != nil {
			return fmt.Errorf("Load: %w", err)
		}
		if loaded[0].Version != before {
			return nil
		}
	}
}
