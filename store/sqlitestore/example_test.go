package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

func Example() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	ctx := context.Background()
	for range 2 { // the second round is after a restart
		s, err := sqlitestore.Open(filepath.Join(folder, "sessions.db"))
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = s.Save(ctx, "key", store.Entry{Value: []byte("record"), ExpiresAt: time.Now().Add(8 * time.Hour)})
		fmt.Println(err)
		if err := s.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// <nil>
	// store: version conflict
}
