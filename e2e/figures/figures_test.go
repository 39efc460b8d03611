package figures_test

import "testing"

// Each server is started once, and everything is measured on it.

func TestRedis(t *testing.T) { measure(t, "", startRedis(t)) }

func TestPostgres(t *testing.T) {
	direct, pooled := startPostgres(t)
	measure(t, "", direct)
	measure(t, "behind PgBouncer: ", pooled)
}

func measure(t *testing.T, where string, on *server) {
	for _, figure := range []struct {
		name  string
		test  func(*testing.T, *server)
		alone bool // because it measures time
	}{
		{"R23 one read and no write for a request", readsOnly, true},
		{"R1 one call in a storm", storm, true},
		{"A13 all sessions expire at once", herd, true},
		{"one round trip for a signed-in request", oneRoundTrip, false},
		{"ended stays ended", interleavings, false},
		{"ended at one replica is ended at all", endedEverywhere, false},
	} {
		t.Run(where+figure.name, func(t *testing.T) {
			if !figure.alone {
				t.Parallel()
			}
			figure.test(t, on)
		})
	}
}
