package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

func Example() {
	ctx := context.Background()
	s := memstore.New()
	_, err := s.Save(ctx, "key", store.Entry{
		Value:     []byte("record"),
		Tags:      []string{"user-1"},
		ExpiresAt: time.Now().Add(8 * time.Hour),
	})
	fmt.Println(err)

	keys, err := s.Tagged(ctx, "user-1") // to be signed out everywhere
	fmt.Println(keys, err)
	// Output:
	// <nil>
	// [key] <nil>
}
