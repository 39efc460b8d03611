package e2e_test

import (
	"net/http"
	"testing"
	"time"
)

func TestKilledAndRestartedQuickstartKnowsItsVisitors(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	q := startQuickstart(t, op)
	v := q.SignedIn("ada")
	before := q.Token(v)

	q.Kill()
	q.Start()
	if got := q.Whoami(v); got.Status != http.StatusOK || got.User != "ada" {
		t.Fatalf("the same cookie after the restart: %+v", got)
	}
	if got := q.Token(v); got.SHA256 != before.SHA256 {
		t.Errorf("token after the restart: %+v, want the one of before", got)
	}
	pass(t, justRenewed)
	if p := v.Ask(q.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Fatalf("refresh after the restart: %d %s", p.Status, p.Text)
	}
	if got := q.Token(v); got.Status != http.StatusOK || got.SHA256 == before.SHA256 {
		t.Errorf("token after the refresh: %+v", got)
	}
	if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 {
		t.Errorf("stats %+v: want one refresh", got)
	}
}

// Killed while the provider works on a refresh, the application cannot know
// whether its refresh token was consumed. This provider forgives no second
// presentation, so the one right thing is not to make it (refresh.md finding 4):
// the session lives on, the token is asked for by a new sign-in, and nothing
// loops or answers 500.
func TestKilledInTheMiddleOfARefreshEndsCleanly(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	for _, when := range []struct {
		name  string
		fault fault
		after time.Duration
	}{
		{"before the provider consumed the token", fault{Calls: 1, Delay: 2 * time.Second}, 500 * time.Millisecond},
		{"after the provider answered into the void", fault{Calls: 1, Delay: 500 * time.Millisecond}, 490 * time.Millisecond},
	} {
		t.Run(when.name, func(t *testing.T) {
			t.Parallel()
			op := startProvider(t, opConfig{AccessTTL: life})
			q := startQuickstart(t, op)
			v := q.SignedIn("ada")
			pass(t, life+200*time.Millisecond)

			op.Next(when.fault)
			calls := op.Stats().Calls
			go v.AskFor(time.Minute, q.URL+"/api/token")
			eventually(t, 5*time.Second, func() bool { return op.Stats().Calls > calls })
			pass(t, when.after)
			q.Kill()
			q.Start()

			if got := q.Whoami(v); got.Status != http.StatusOK || got.User != "ada" {
				t.Fatalf("the same cookie after the restart: %+v", got)
			}
			// While the dead process's attempt may still be alive, the answer is 503.
			var got tokenInfo
			eventually(t, 90*time.Second, func() bool {
				got = q.Token(v)
				return got.Status != http.StatusServiceUnavailable
			})
			stats := op.Stats()
			switch {
			case got.Status == http.StatusOK && stats.Replays == 0: // the answer came in time to be committed
			case got.Status == http.StatusUnauthorized && got.Error == "reauth_required" && stats.Replays == 0:
			default:
				t.Errorf("token %+v, stats %+v", got, stats)
			}
			if got := q.Whoami(v); got.Status != http.StatusOK {
				t.Errorf("the session ended with the token: %+v", got)
			}
			v.SignInAt(q.URL, "ada")
			if got := q.Token(v); got.Status != http.StatusOK {
				t.Errorf("token after signing in again: %+v", got)
			}
		})
	}
}
