package grant_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// replicas are three processes, and a thousand requests that come to them at
// once when the token has expired. It returns how long each request waited.
func replicas(h *house, takes time.Duration) []time.Duration {
	h.t.Helper()
	processes := []*grant.Keeper{h.process(), h.process(), h.process()}
	h.login(processes[0])
	h.op.takes = takes
	time.Sleep(2 * time.Hour)
	waits := make([]time.Duration, 1000)
	var wg sync.WaitGroup
	for i := range waits {
		wg.Go(func() {
			begin := time.Now()
			if token, err := h.token(processes[i%3]); err != nil || token != "at1" {
				h.t.Errorf("token = %q, %v; want at1", token, err)
			}
			waits[i] = time.Since(begin)
		})
	}
	wg.Wait()
	for _, k := range processes {
		k.Close()
	}
	h.wantCalls(1)
	slices.Sort(waits)
	return waits
}

// The figure is that losers wait at most half again as long as the provider
// takes to answer; where the store tells of changes they wait not a moment longer.
func TestLosersWakeAtTheInstantOfTheCommit(t *testing.T) {
	for _, takes := range []time.Duration{time.Millisecond, 70 * time.Millisecond, 1700 * time.Millisecond, 14 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			waits := replicas(newHouse(t, newOP(strict)), takes)
			if last := waits[len(waits)-1]; last != takes {
				t.Errorf("the provider took %v, the last of the losers waited %v", takes, last)
			}
		})
	}
}

func TestLosersLookForThemselvesWhereNobodyTellsThem(t *testing.T) {
	const takes = 1700 * time.Millisecond
	for _, tt := range []struct {
		name  string
		store func(*house) store.Store
		late  time.Duration
	}{
		{"no watcher", func(h *house) store.Store { return watchless{h.store} }, time.Second},
		{"a watcher that fails", func(h *house) store.Store {
			return watching{h.store, func(context.Context) (<-chan struct{}, error) { return nil, errDown }}
		}, time.Second},
		{"a watcher that hangs", func(h *house) store.Store {
			return watching{h.store, func(ctx context.Context) (<-chan struct{}, error) { <-ctx.Done(); return nil, ctx.Err() }}
		}, grant.StoreTimeout + time.Second},
		{"a watcher that comes too late", func(h *house) store.Store {
			return watching{h.store, func(context.Context) (<-chan struct{}, error) {
				time.Sleep(2 * grant.StoreTimeout)
				return make(chan struct{}), nil
			}}
		}, time.Second},
		{"a watcher whose connection is lost", func(h *house) store.Store { h.store.Deafen(); return h.store }, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, newOP(strict))
				h.cfg.Store = tt.store(h)
				waits := replicas(h, takes)
				if last := waits[len(waits)-1]; last > takes+tt.late {
					t.Errorf("the provider took %v, the last of the losers waited %v", takes, last)
				}
			})
		})
	}
}

// A process dies while it holds the lease. Who waits for it is told of nothing,
// and looks the moment the lease is over.
func TestDeathOfTheHolderIsNoticedWhenItsLeaseEnds(t *testing.T) {
	story(t, reusable, func(t *testing.T, h *house, k *grant.Keeper) {
		h.cfg.WaitBudget = time.Minute
		patient := h.process()
		defer patient.Close()
		time.Sleep(2 * time.Hour)
		begin := time.Now()
		defer h.freeze(answer{takes: time.Hour}).Close()
		time.Sleep(300 * time.Millisecond)
		if token, err := h.token(patient); err != nil || token != "at2" {
			t.Fatalf("token = %q, %v; want at2", token, err)
		}
		if waited := time.Since(begin); waited != 20*time.Second {
			t.Errorf("after %v, want the end of a lease of 20s", waited)
		}
	})
}

// What was changed between the look and the watch is told to nobody.
func TestRecordIsLookedAtAgainOnceItIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(strict))
		h.op.takes = 100 * time.Millisecond
		first := h.process()
		h.login(first)
		time.Sleep(2 * time.Hour)
		h.cfg.Store = watching{h.store, func(ctx context.Context) (<-chan struct{}, error) {
			time.Sleep(200 * time.Millisecond) // the commit happens meanwhile
			return h.store.Watch(ctx, key)
		}}
		second := h.process()
		go h.token(first)
		synctest.Wait()
		begin := time.Now()
		h.mustToken(second, "at1")
		if waited := time.Since(begin); waited != 200*time.Millisecond {
			t.Errorf("waited %v, want the time it takes to begin watching", waited)
		}
	})
}

// watchless is a store that cannot tell of changes.
type watchless struct{ store.Store }

// watching is a store whose Watch is the test's.
type watching struct {
	store.Store
	watch func(context.Context) (<-chan struct{}, error)
}

func (w watching) Watch(ctx context.Context, _ string) (<-chan struct{}, error) { return w.watch(ctx) }

func TestWatchIsNotAskedForByWhoNeedNotWait(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		h.cfg.Store = watching{h.store, func(context.Context) (<-chan struct{}, error) {
			t.Error("watched")
			return nil, errors.ErrUnsupported
		}}
		k := h.process()
		defer k.Close()
		time.Sleep(2 * time.Hour)
		h.mustToken(k, "at1")
	})
}
