package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// Two writers start from the same version. The second is told, and looks again.
func Example() {
	ctx := context.Background()
	var s store.Store = memstore.New()

	first, err := s.Save(ctx, "key", store.Entry{
		Value:     []byte("first"),
		ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	winner, loser := first, first
	winner.Value, loser.Value = []byte("winner"), []byte("loser")
	_, err = s.Save(ctx, "key", winner)
	fmt.Println(err)
	_, err = s.Save(ctx, "key", loser)
	fmt.Println(errors.Is(err, store.ErrConflict))

	entries, err := s.Load(ctx, "key", "absent")
	fmt.Printf("%s, %d, %v\n", entries[0].Value, entries[1].Version, err)
	// Output:
	// <nil>
	// true
	// winner, 0, <nil>
}

// Who waits for another process watches first and looks then, so that nothing
// comes in between, and looks now and then whatever is told.
func ExampleWatch() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel() // ends the watch
	var s store.Store = memstore.New()

	changed, err := store.Watch(ctx, s, "answer")
	if err != nil { // errors.ErrUnsupported: changed is nil, and the ticker alone must do
		fmt.Println(err)
	}
	go s.Save(ctx, "answer", store.Entry{Value: []byte("42"), ExpiresAt: time.Now().Add(time.Hour)})

	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		entries, err := s.Load(ctx, "answer")
		if err != nil {
			fmt.Println(err)
			return
		}
		if e := entries[0]; e.Version != 0 {
			fmt.Printf("%s\n", e.Value)
			return
		}
		select {
		case <-changed:
		case <-ticker.C:
		}
	}
	// Output:
	// 42
}

// Ending all sessions of a user is finding them and ending each.
func ExampleTagged() {
	ctx := context.Background()
	var s store.Store = memstore.New()
	for _, key := range []string{"laptop", "phone"} {
		_, err := s.Save(ctx, key, store.Entry{Tags: []string{"user-1"}, ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			fmt.Println(err)
			return
		}
	}

	keys, err := store.Tagged(ctx, s, "user-1")
	for _, key := range keys {
		err = errors.Join(err, s.Delete(ctx, key))
	}
	left, _ := store.Tagged(ctx, s, "user-1")
	fmt.Println(len(keys), len(left), err)
	// Output:
	// 2 0 <nil>
}
