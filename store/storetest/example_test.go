package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// A backend's own test is one call. Open what a case needs and clean up with
// t.Cleanup.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestContract(t *testing.T) in earnest
		storetest.Run(t, func(t *testing.T) store.Store {
			return memstore.New()
		})
	}
}

// Counting shows what a request costs.
func ExampleCounting() {
	ctx := context.Background()
	s := storetest.NewCounting(memstore.New())

	s.Load(ctx, "session", "tokens")
	fmt.Printf("%+v\n", s.Reset())
	// Output:
	// {Loads:1 Keys:2 Saves:0 Deletes:0 Tagged:0 Watches:0}
}

// Faulty shows what an application does while its store is down.
func ExampleFaulty() {
	ctx := context.Background()
	s := storetest.NewFaulty(memstore.New())

	s.Fail(errors.New("connection refused"))
	_, err := s.Load(ctx, "session")
	fmt.Println(err)

	s.Heal()
	_, err = s.Load(ctx, "session")
	fmt.Println(err)
	// Output:
	// storetest: refused: connection refused
	// <nil>
}
