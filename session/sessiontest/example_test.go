package sessiontest_test

import (
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/session/sessiontest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// The test of a backend of one's own is one call; here with the store in memory.
func ExampleEndings() {
	_ = func(t *testing.T) { // func TestEndedStaysEnded(t *testing.T) in earnest
		rows := memstore.New()
		sessiontest.Endings(t, sessiontest.Config{
			Open:   func() store.Store { return rows },
			Rounds: 100,
			Unit:   time.Millisecond,
		})
	}
}
