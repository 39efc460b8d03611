package memstore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memstore.New() })
}

func TestExpiryIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		start := time.Now()
		mustSave(t, s, "key", start.Add(time.Hour))
		time.Sleep(time.Hour - time.Nanosecond)
		if e := load(t, s, "key"); e.Version == 0 || !e.Now.Equal(start.Add(time.Hour-time.Nanosecond)) {
			t.Errorf("a nanosecond before: version %d at %v", e.Version, e.Now)
		}
		time.Sleep(time.Nanosecond)
		if e := load(t, s, "key"); e.Version != 0 || !e.Now.Equal(start.Add(time.Hour)) {
			t.Errorf("on time: version %d at %v", e.Version, e.Now)
		}
	})
}

// The wall clock is what a session is judged by: a laptop that slept has not
// stopped it.
func TestTimesCarryNoMonotonicReading(t *testing.T) {
	s := memstore.New()
	saved := mustSave(t, s, "key", time.Now().Add(time.Hour))
	loaded := load(t, s, "key")
	for _, at := range []time.Time{saved.Now, saved.ExpiresAt, loaded.Now, loaded.ExpiresAt} {
		if at != at.Round(0) {
			t.Errorf("%v has a monotonic reading", at)
		}
	}
}

// DOS1: expired entries that nobody asks for again do not add up, and it takes
// no goroutine to see to it.
func TestExpiredEntriesDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		const perRound = 10_000
		for round := range 10 {
			for i := range perRound {
				mustSave(t, s, fmt.Sprint("spent:", round, "/", i), time.Now().Add(time.Minute))
			}
			time.Sleep(time.Hour)
			if n := s.Len(); n > 3*perRound {
				t.Fatalf("round %d: %d entries in memory, none of them alive", round, n)
			}
		}
	})
}

func TestSweepSparesTheLiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		kept := mustSave(t, s, "kept", time.Now().Add(24*time.Hour))
		for i := range 20_000 {
			mustSave(t, s, fmt.Sprint("spent:", i), time.Now().Add(time.Millisecond))
			if i%1000 == 0 {
				time.Sleep(time.Second)
			}
		}
		if e := load(t, s, "kept"); e.Version != kept.Version {
			t.Errorf("version %d, want %d", e.Version, kept.Version)
		}
	})
}

func TestLoadAllocatesNothingButItsResult(t *testing.T) {
	s := memstore.New()
	mustSave(t, s, "session", time.Now().Add(time.Hour))
	mustSave(t, s, "tokens", time.Now().Add(time.Hour))
	keys := []string{"session", "tokens"}
	if allocs := testing.AllocsPerRun(100, func() { s.Load(t.Context(), keys...) }); allocs > 1 {
		t.Errorf("%v allocations", allocs)
	}
}

// In virtual time a waiter wakes at the instant of the change, and what did not
// change anything wakes nobody.
func TestChangesAreToldAtOnceAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		told, err := s.Watch(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			do   func()
			want int
		}{
			{"another key", func() { mustSave(t, s, "other", time.Now().Add(time.Hour)) }, 0},
			{"Delete of nothing", func() { s.Delete(t.Context(), "key") }, 0},
			{"Save", func() { mustSave(t, s, "key", time.Now().Add(time.Minute)) }, 1},
			{"a conflict", func() { s.Save(t.Context(), "key", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}) }, 0},
			{"a refused entry", func() { s.Save(t.Context(), "key", store.Entry{}) }, 0},
			{"expiry", func() { time.Sleep(time.Hour); load(t, s, "key") }, 0},
			{"Save over the expired", func() { mustSave(t, s, "key", time.Now().Add(time.Hour)) }, 1},
			{"Delete", func() { s.Delete(t.Context(), "key") }, 1},
			{"two changes", func() {
				mustSave(t, s, "key", time.Now().Add(time.Hour))
				s.Delete(t.Context(), "key")
			}, 1},
		} {
			began := time.Now()
			tt.do()
			if got := len(told); got != tt.want || tt.want == 1 && !time.Now().Equal(began) {
				t.Errorf("%s: %d values, want %d", tt.name, got, tt.want)
			}
			if len(told) > 0 {
				<-told
			}
		}
	})
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, memstore.New()) }

// BenchmarkSaveNew is a flood of marks that expire: what the sweep costs.
func BenchmarkSaveNew(b *testing.B) {
	s := memstore.New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Save(b.Context(), fmt.Sprint("spent:", i), store.Entry{ExpiresAt: time.Now().Add(10 * time.Millisecond)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Len()), "held")
}

func mustSave(t *testing.T, s *memstore.Store, key string, expiresAt time.Time) store.Entry {
	t.Helper()
	saved, err := s.Save(t.Context(), key, store.Entry{Value: []byte("value"), ExpiresAt: expiresAt})
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func load(t *testing.T, s *memstore.Store, key string) store.Entry {
	t.Helper()
	entries, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return entries[0]
}
