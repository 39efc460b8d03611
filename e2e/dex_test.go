package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Dex deletes the refresh token of a user's first login when the second one at
// the same client begins, and answers it with 400 invalid_request. That is
// final: the first browser is asked to sign in, and Dex is left alone.
func TestSecondLoginAtDexEndsTheTokensOfTheFirst(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	f := newFleet(t, startRedis(t))
	op := startDex(t, f.URL, dexConfig{AccessTTL: life, Reuse: time.Second})
	f.Start(op)
	first, second := f.SignedIn("ada"), f.SignedIn("ada")
	pass(t, life+200*time.Millisecond)

	for i := range replicas {
		if p := f.Ask(first, i, "/token"); p.Status != http.StatusUnauthorized || !strings.Contains(p.Text, "reauth_required") {
			t.Errorf("the first browser is answered %d %s", p.Status, p.Text)
		}
		if p := f.Ask(first, i, "/account"); p.Status != http.StatusOK {
			t.Errorf("the session ended with its tokens: %d", p.Status)
		}
		if p := f.Ask(second, i, "/token"); p.Status != http.StatusOK {
			t.Errorf("the second browser is answered %d %s", p.Status, p.Text)
		}
	}
	if got := op.Stats(); got.Refreshes != 2 || got.Refreshed != 1 {
		t.Errorf("stats %+v: want one refresh granted and one refused", got)
	}
	f.SignIn(first, "ada")
	if p := first.Ask(f.URL + "/token"); p.Status != http.StatusOK {
		t.Errorf("signed in again: %d %s", p.Status, p.Text)
	}
}

// Storms against Dex, within its reuse interval and after it: within, it returns
// the refresh token that was presented, which is no sign that tokens can be used
// again.
func TestStormsAtDexAreOneCallEach(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		f := newFleet(t, st)
		op := startDex(t, f.URL, dexConfig{AccessTTL: life, Reuse: life + time.Second})
		f.Start(op)
		v := f.SignedIn("ada")
		for round := range 4 {
			pass(t, life+200*time.Millisecond)
			op.Next(fault{Calls: 1, Delay: 200 * time.Millisecond})
			f.Storm(v, 20, "/token").mustAllBe(t, http.StatusOK)
			if got := op.Stats(); got.Refreshes != round+1 || got.Refreshed != round+1 || got.MaxInFlight != 1 {
				t.Fatalf("round %d: stats %+v", round, got)
			}
		}
	})
}
