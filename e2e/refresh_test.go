package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
)

// The provider revokes the whole grant when a refresh token comes twice, so a
// single call too many ends every one of these tests.

func TestTwoHundredRequestsOnAnExpiredTokenCostOneCall(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	op := startProvider(t, opConfig{AccessTTL: life})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")
	before := v.Ask(a.URL + "/token").Text
	pass(t, life+200*time.Millisecond)

	op.Next(fault{Calls: 1, Delay: 300 * time.Millisecond}) // so that all of them find it under way
	statuses, tokens := make(map[int]int), make(map[string]int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			p := v.Ask(a.URL + "/token")
			mu.Lock()
			defer mu.Unlock()
			statuses[p.Status]++
			tokens[p.Text]++
		})
	}
	all.Wait()
	if statuses[http.StatusOK] != 200 || len(tokens) != 1 || tokens[before] != 0 {
		t.Errorf("answers by status %v, %d different tokens", statuses, len(tokens))
	}
	if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 || got.Replays != 0 || got.MaxInFlight != 1 {
		t.Errorf("stats %+v: want one refresh", got)
	}

	pass(t, life+200*time.Millisecond)
	if p := v.Ask(a.URL + "/token"); p.Status != http.StatusOK || tokens[p.Text] != 0 {
		t.Errorf("the next refresh: %d", p.Status)
	}
	if got := op.Stats(); got.Refreshes != 2 || got.Refreshed != 2 || got.Replays != 0 {
		t.Errorf("stats %+v: want two refreshes", got)
	}
}

func TestClientThatLeavesInTheMiddleOfARefreshLosesNothing(t *testing.T) {
	t.Parallel()
	const (
		life   = 3 * time.Second
		points = 24
		step   = 10 * time.Millisecond // the refresh itself takes 20 steps
	)
	op := startProvider(t, opConfig{AccessTTL: life})
	a := startApp(t, op, nil)
	visitors := make([]*visitor, points)
	for i := range visitors {
		visitors[i] = a.SignedIn("ada")
	}
	pass(t, life+200*time.Millisecond)
	op.Next(fault{Calls: points, Delay: 20 * step})

	var all sync.WaitGroup
	for i, v := range visitors {
		all.Go(func() {
			v.AskFor(time.Duration(i)*step, a.URL+"/token")
			if p := v.Ask(a.URL + "/token"); p.Status != http.StatusOK {
				t.Errorf("left after %s: the next request gets %d %s", time.Duration(i)*step, p.Status, p.Text)
			}
		})
	}
	all.Wait()
	if got := op.Stats(); got.Refreshes != points || got.Refreshed != points || got.Replays != 0 {
		t.Errorf("stats %+v: want one refresh for each of %d", got, points)
	}
}

func TestCAC5RAC4TwoUsersAtOnceNeverGetEachOthersTokens(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	op := startProvider(t, opConfig{AccessTTL: life})
	a := startApp(t, op, nil)
	users := map[string]*visitor{"ada": a.SignedIn("ada"), "bob": a.SignedIn("bob")}
	pass(t, life+200*time.Millisecond)
	op.Next(fault{Calls: 2, Delay: 200 * time.Millisecond})

	owner := make(map[string]string) // of a token
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, v := range users {
		for range 25 {
			all.Go(func() {
				token := v.Ask(a.URL + "/token")
				account := v.Ask(a.URL + "/account")
				mu.Lock()
				defer mu.Unlock()
				if account.Text != "account of "+name || token.Status != http.StatusOK {
					t.Errorf("%s got %q and a token with status %d", name, account.Text, token.Status)
				}
				if before, seen := owner[token.Text]; seen && before != name {
					t.Errorf("%s got a token of %s", name, before)
				}
				owner[token.Text] = name
			})
		}
	}
	all.Wait()
	if got := op.Stats(); len(owner) != 2 || got.Refreshes != 2 {
		t.Errorf("%d tokens, stats %+v: want one each", len(owner), got)
	}
}

func TestTokenForAnotherResourceComesFromTheSameRefreshToken(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	v := a.Visitor()
	// The provider grants a resource on refresh only if the login asked for it.
	v.Approve(v.Visit(a.URL+"/.auth/login/oidc?resource=https%3A%2F%2Fapi.example&scope=openid+offline_access+read"), "ada")

	first := v.Ask(a.URL + "/token-for?resource=https://api.example")
	if first.Status != http.StatusOK || strings.Count(first.Text, ".") != 2 {
		t.Fatalf("%d: not the JWT that the provider makes for a resource", first.Status)
	}
	if second := v.Ask(a.URL + "/token-for?resource=https://api.example"); second.Text != first.Text {
		t.Error("the second one was not taken from the record")
	}
}

// This provider consumes the refresh token before it looks at the resource, so
// asking for one that the login did not ask for costs the grant: the token that
// replaced the consumed one was never sent. What is left must be told as it is.
func TestResourceThatWasNeverGrantedCostsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")
	token := v.Ask(a.URL + "/token").Text

	if p := v.Ask(a.URL + "/token-for?resource=https://api.example"); p.Status != http.StatusTeapot {
		t.Errorf("a resource that was never granted: %d", p.Status)
	}
	if p := v.Ask(a.URL + "/token"); p.Status != http.StatusOK || p.Text != token {
		t.Errorf("the login's own token afterwards: %d", p.Status)
	}
	pass(t, justRenewed)
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusForbidden {
		t.Errorf("/.auth/refresh: %d %s, want to be told that it is over", p.Status, p.Text)
	}
	if p := v.Visit(a.URL + "/account"); p.Text != "account of ada" {
		t.Errorf("the session ended: %d %q", p.Status, p.Text)
	}
}

func TestSessionInItsGraceIsRenewedBeforeTheHandler(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	op := startProvider(t, opConfig{})
	a := startApp(t, op, func(cfg *easyauth.Config) { cfg.SessionLifetime, cfg.GracePeriod = life, time.Hour })
	v := a.SignedIn("ada")
	pass(t, life+time.Second)

	p := v.Step(a.URL + "/account")
	if p.Status != http.StatusOK || p.Text != "account of ada" {
		t.Fatalf("expired by a second: %d %q", p.Status, p.Text)
	}
	if got := op.Stats(); got.Refreshed != 1 {
		t.Errorf("stats %+v: want the provider asked once", got)
	}
	pass(t, justRenewed) // and in the grace period again
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("/.auth/refresh in the grace period: %d", p.Status)
	}
	if got := op.Stats(); got.Refreshed != 2 || got.Replays != 0 {
		t.Errorf("stats %+v: want two refreshes", got)
	}
}

func TestPastItsGraceTheSessionIsOver(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, func(cfg *easyauth.Config) { cfg.SessionLifetime, cfg.GracePeriod = time.Second, time.Second })
	v := a.SignedIn("ada")
	pass(t, 3*time.Second)

	if p := v.Step(a.URL + "/account"); p.Status != http.StatusFound || !strings.Contains(p.Header.Get("Location"), "/.auth/login") {
		t.Errorf("page: %d to %q", p.Status, p.Header.Get("Location"))
	}
	if p := v.Ask(a.URL + "/account"); p.Status != http.StatusUnauthorized {
		t.Errorf("API: %d", p.Status)
	}
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusUnauthorized {
		t.Errorf("/.auth/refresh: %d", p.Status)
	}
	if got := op.Stats(); got.Refreshes != 0 {
		t.Errorf("stats %+v: a session that is over asked for tokens", got)
	}
}
