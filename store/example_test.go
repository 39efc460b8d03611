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
