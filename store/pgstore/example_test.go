package pgstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// It needs a server, so it is compiled and not run: what it shows is what
// TestContract and TestMigrate do.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://app@db.example/app")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()

	s := pgstore.New(pool, pgstore.Config{})
	defer s.Close()
	if err := s.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	e, err := s.Save(ctx, "key", store.Entry{Value: []byte("record"), ExpiresAt: time.Now().Add(8 * time.Hour)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Version)
}
