package storetest_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func TestCountingKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return storetest.NewCounting(memstore.New()) })
}

func TestCountingCountsEveryCall(t *testing.T) {
	s := storetest.NewCounting(memstore.New())
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			s.Load(t.Context(), "one", "two")
			s.Save(t.Context(), "one", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}) // nine of them conflict
			s.Save(t.Context(), "", store.Entry{})
			s.Delete(t.Context(), "absent")
			s.Tagged(t.Context(), "tag")
			s.Watch(t.Context(), "one")
		})
	}
	wg.Wait()
	want := storetest.Counts{Loads: 10, Keys: 20, Saves: 20, Deletes: 10, Tagged: 10, Watches: 10}
	if got := s.Counts(); got != want {
		t.Errorf("Counts = %+v, want %+v", got, want)
	}
	if got := s.Reset(); got != want {
		t.Errorf("Reset = %+v, want %+v", got, want)
	}
	if got := s.Counts(); got != (storetest.Counts{}) {
		t.Errorf("after Reset: %+v", got)
	}
}

func TestWrappersAreHonestAboutAbilities(t *testing.T) {
	plain := struct{ store.Store }{memstore.New()}
	for name, s := range map[string]store.Store{
		"Counting": storetest.NewCounting(plain),
		"Faulty":   storetest.NewFaulty(plain),
	} {
		if _, err := store.Tagged(t.Context(), s, "tag"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: Tagged: %v, want errors.ErrUnsupported", name, err)
		}
		if _, err := store.Watch(t.Context(), s, "key"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: Watch: %v, want errors.ErrUnsupported", name, err)
		}
	}
}
