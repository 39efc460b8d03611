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

// Killed while it waits for the answer to a refresh, the application cannot know
// whether its refresh token was consumed; here it was. This provider forgives no
// second presentation, so there is at most one, when nothing is left to lose: long
// after the answer can still arrive (R2, R4). The session lives on, the token is
// asked for by a new sign-in, and nothing loops or answers 500.
func TestKilledInTheMiddleOfARefreshEndsCleanly(t *testing.T) {
	t.Parallel()
	const (
		life       = 3 * time.Second
		answer     = time.Second
		quarantine = 50 * time.Second // the lease of an attempt, and 30 s
	)
	for _, after := range []time.Duration{0, answer / 2, answer - 20*time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			op := startProvider(t, opConfig{AccessTTL: life})
			q := startQuickstart(t, op)
			v := q.SignedIn("ada")
			pass(t, life+200*time.Millisecond)

			op.Next(fault{Calls: 1, Delay: answer})
			began := time.Now()
			go v.AskFor(time.Minute, q.URL+"/api/token")
			eventually(t, 5*time.Second, func() bool { return op.Stats().Refreshes == 1 })
			pass(t, after)
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
			took, stats := time.Since(began), op.Stats()
			written := got.Status == http.StatusOK && stats.Refreshes == 1 // the answer, before the end came
			reauth := got.Status == http.StatusUnauthorized && got.Error == "reauth_required" && stats.Refreshes <= 2
			if !written && !reauth || stats.Refreshes == 2 && took < quarantine {
				t.Errorf("after %s: token %+v, stats %+v", took, got, stats)
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
