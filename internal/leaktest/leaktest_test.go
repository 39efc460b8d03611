package leaktest

import (
	"strings"
	"testing"
	"time"
)

func TestGoroutineThatStaysIsFound(t *testing.T) {
	stop := make(chan struct{})
	go stays(stop)
	found := func() bool {
		for _, stack := range wait(100 * time.Millisecond) {
			if strings.Contains(stack, "leaktest.stays") {
				return true
			}
		}
		return false
	}
	if !found() {
		t.Error("a goroutine that waits for ever was not found")
	}
	close(stop)
	if found() {
		t.Error("a goroutine that ended was found")
	}
}

func stays(stop chan struct{}) { <-stop }

func TestMain(m *testing.M) { Main(m) }
