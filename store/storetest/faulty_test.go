package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

var errDown = errors.New("down")

func TestFaultyKeepsTheContractWhenHealed(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store {
		s := storetest.NewFaulty(memstore.New())
		s.Fail(errDown)
		s.Heal()
		return s
	})
}

func TestFaultyFailsAsTold(t *testing.T) {
	for _, tt := range []struct {
		name               string
		fault              func(*storetest.Faulty)
		read, write        error
		writesAreDoneAfter bool
	}{
		{"no fault", func(*storetest.Faulty) {}, nil, nil, true},
		{"healed", func(f *storetest.Faulty) { f.Fail(errDown); f.Heal() }, nil, nil, true},
		{"down", func(f *storetest.Faulty) { f.Fail(errDown) }, errDown, errDown, false},
		{"read-only", func(f *storetest.Faulty) { f.RefuseWrites(errDown) }, nil, errDown, false},
		{"answers lost", func(f *storetest.Faulty) { f.LoseAnswers(errDown) }, nil, errDown, true},
		{"silent", func(f *storetest.Faulty) { f.Hang() }, context.DeadlineExceeded, context.DeadlineExceeded, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := memstore.New()
				f := storetest.NewFaulty(inner)
				entry := store.Entry{Tags: []string{"tag"}, ExpiresAt: time.Now().Add(time.Hour)}
				if _, err := inner.Save(t.Context(), "delete", entry); err != nil {
					t.Fatal(err)
				}
				tt.fault(f)
				within := func(call func(ctx context.Context) error) error {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					return call(ctx)
				}

				check := func(call string, got, want error) {
					t.Helper()
					if !errors.Is(got, want) {
						t.Errorf("%s: %v, want %v", call, got, want)
					}
				}
				check("Load", within(func(ctx context.Context) error {
					_, err := f.Load(ctx, "key")
					return err
				}), tt.read)
				check("Save", within(func(ctx context.Context) error {
					_, err := f.Save(ctx, "created", store.Entry{ExpiresAt: entry.ExpiresAt})
					return err
				}), tt.write)
				check("Delete", within(func(ctx context.Context) error { return f.Delete(ctx, "delete") }), tt.write)
				check("Tagged", within(func(ctx context.Context) error {
					_, err := f.Tagged(ctx, "tag")
					return err
				}), tt.read)
				check("Watch", within(func(ctx context.Context) error {
					_, err := f.Watch(ctx, "key")
					return err
				}), tt.read)

				loaded, err := inner.Load(t.Context(), "created", "delete")
				if err != nil {
					t.Fatal(err)
				}
				for i, present := range []bool{tt.writesAreDoneAfter, !tt.writesAreDoneAfter} {
					if got := loaded[i].Version != 0; got != present {
						t.Errorf("entry %d present: %t, want %t", i, got, present)
					}
				}
			})
		})
	}
}

func TestFaultyTellsOfChangesAsTold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault func(*storetest.Faulty)
		want  bool
	}{
		{"no fault", func(*storetest.Faulty) {}, true},
		{"deaf", func(f *storetest.Faulty) { f.Deafen() }, false},
		{"deaf and read-only", func(f *storetest.Faulty) { f.Deafen(); f.RefuseWrites(errDown) }, false},
		{"down", func(f *storetest.Faulty) { f.Fail(errDown) }, false},
		{"silent", func(f *storetest.Faulty) { f.Hang() }, false},
		{"read-only", func(f *storetest.Faulty) { f.RefuseWrites(errDown) }, true},
		{"answers lost", func(f *storetest.Faulty) { f.LoseAnswers(errDown) }, true},
		{"healed", func(f *storetest.Faulty) { f.Deafen(); f.Hang(); f.Heal() }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := memstore.New()
				f := storetest.NewFaulty(inner)
				entry := store.Entry{ExpiresAt: time.Now().Add(time.Hour)}
				told, err := f.Watch(t.Context(), "key")
				if err != nil {
					t.Fatal(err)
				}

				tt.fault(f)
				if entry, err = inner.Save(t.Context(), "key", entry); err != nil { // as another process would
					t.Fatal(err)
				}
				synctest.Wait()
				if got := len(told) == 1; got != tt.want {
					t.Errorf("told: %t, want %t", got, tt.want)
				}

				f.Heal()
				synctest.Wait()
				if got := len(told) == 1; got != tt.want {
					t.Errorf("after Heal: %t, want %t: what was lost stays lost", got, tt.want)
				}
				if _, err := inner.Save(t.Context(), "key", entry); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if len(told) != 1 {
					t.Error("after Heal nothing is told")
				}
			})
		})
	}
}

func TestLostAnswerDoesNotHideAConflict(t *testing.T) {
	f := storetest.NewFaulty(memstore.New())
	f.LoseAnswers(errDown)
	if _, err := f.Save(t.Context(), "key", store.Entry{Version: 7, ExpiresAt: time.Now().Add(time.Hour)}); err != store.ErrConflict {
		t.Errorf("Save: %v, want ErrConflict", err)
	}
}

func TestHangRefusesAContextThatNeverEnds(t *testing.T) {
	f := storetest.NewFaulty(memstore.New())
	f.Hang()
	if _, err := f.Load(context.Background(), "key"); err == nil || err.Error() != "storetest: hanging store asked with a context that never ends" {
		t.Errorf("Load: %v", err)
	}
}

func TestFaultCanBeSwitchedWhileCallsRun(t *testing.T) {
	f := storetest.NewFaulty(memstore.New())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				switch i {
				case 0:
					f.Fail(errDown)
				case 1:
					f.Heal()
				case 2:
					f.RefuseWrites(errDown)
				case 3:
					f.Deafen()
				default:
					if _, err := f.Load(t.Context(), "key"); err != nil && !errors.Is(err, errDown) {
						t.Error(err)
					}
					f.Delete(t.Context(), "key")
				}
			}
		})
	}
	wg.Wait()
}
