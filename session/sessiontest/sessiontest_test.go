package sessiontest_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/session/sessiontest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// rounds is how many interleavings a test plays: the full number in a soak.
func rounds() int {
	if os.Getenv("EASYAUTH_SOAK") != "" {
		return 10_000
	}
	return 300
}

func TestR5EndedStaysEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := memstore.New()
		late := sessiontest.Endings(t, sessiontest.Config{Open: func() store.Store { return rows }, Rounds: rounds(), Unit: time.Second})
		if late != 0 {
			t.Errorf("%d answers carried the cookie of a dead session", late)
		}
	})
}

func TestR6SlowRequestsWriteNoOldTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := memstore.New()
		sessiontest.Rotations(t, sessiontest.Config{Open: func() store.Store { return rows }, Rounds: rounds(), Unit: time.Second})
	})
}
