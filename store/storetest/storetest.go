// Package storetest is the contract of package store in executable form, and a
// kit for tests above a store.
//
// [Run] puts a backend to the test: every promise of [store.Store] is a case,
// and every case says why the layers above rely on it. [Counting] and [Faulty]
// wrap a store to count calls and to make them fail.
package storetest

import (
	"testing"

	"github.com/goeasyauth/easyauth/store"
)

// Run checks that the stores which open returns keep the contract of
// [store.Store], and those of [store.TagIndex] and [store.Watcher] where they have
// the ability.
//
// open is called once per case and may return the same store, or stores that
// share a server, every time: Run uses random keys and tags, and entries that
// expire. Time is real, because servers cannot be put into a bubble; Run takes
// a few seconds at most. Cases run one after the other.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	groups := []struct {
		name  string
		cases []promise
	}{
		{"Load", loadPromises},
		{"Save", savePromises},
		{"Delete", deletePromises},
		{"Expiry", expiryPromises},
		{"Values", valuePromises},
		{"Limits", limitPromises},
		{"Context", contextPromises},
		{"Concurrency", concurrencyPromises},
		{"Tags", tagPromises},
		{"Watch", watchPromises},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, p := range g.cases {
				t.Run(p.says, func(t *testing.T) {
					p.check(subject{t, open(t), p.because})
				})
			}
		})
	}
}

// promise is one sentence of the contract: what a store does, why the layers
// above rely on it, and how to see that it does.
type promise struct {
	says    string
	because string
	check   func(s subject)
}
