package sealed_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sealed"
)

func Example() {
	ctx := context.Background()
	inner := memstore.New()                         // or a database
	keys := [][]byte{bytes.Repeat([]byte("k"), 32)} // in earnest: 32 random bytes

	s, err := sealed.New(inner, keys)
	if err != nil {
		fmt.Println(err)
		return
	}
	s.OnUnsealed = func(key string) { fmt.Println("does not open:", key) }

	_, err = s.Save(ctx, "alice", store.Entry{Value: []byte("token"), ExpiresAt: time.Now().Add(time.Hour)})
	fmt.Println(err)

	// Somebody copies the row to another key.
	stolen, _ := inner.Load(ctx, "alice")
	_, err = inner.Save(ctx, "mallory", store.Entry{Value: stolen[0].Value, ExpiresAt: stolen[0].ExpiresAt})
	fmt.Println(err)

	entries, err := s.Load(ctx, "alice", "mallory")
	fmt.Printf("%s, %q, %v\n", entries[0].Value, entries[1].Value, err)
	// Output:
	// <nil>
	// <nil>
	// does not open: mallory
	// token, "", <nil>
}
