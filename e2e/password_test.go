package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// Dex trades passwords for tokens, as RFC 9700 section 2.4 says nobody should.
func TestPasswordGrantAtDex(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	op := startDex(t, "http://127.0.0.1", dexConfig{AccessTTL: life, Reuse: time.Second})
	a := startAppWith(t, op, setup{App: forPrograms, Provider: func(c *providers.OIDCConfig) { c.InsecurePasswordGrant = true }})
	careful := startAppWith(t, op, setup{App: forPrograms})
	client := a.Visitor()
	account := func(token string) page {
		return client.with(http.MethodGet, a.URL+"/token", "", map[string]string{"X-ZUMO-AUTH": token})
	}

	const wrong = "wrong-password-that-must-not-be-logged"
	client.seen.Note(wrong)
	for name, row := range map[string]struct {
		at             *app
		user, password string
		status         int
	}{
		"the wrong password":      {a, "ada@example.com", wrong, http.StatusUnauthorized},
		"an unknown user":         {a, "nobody@example.com", "any", http.StatusUnauthorized},
		"no password":             {a, "ada@example.com", "", http.StatusBadRequest},
		"where it is not allowed": {careful, "ada@example.com", "any", http.StatusBadRequest},
	} {
		before := op.Stats().Calls
		p := client.post(row.at.URL+"/.auth/login/oidc", map[string]string{"username": row.user, "password": row.password})
		if p.Status != row.status || strings.Contains(p.Text, "authenticationToken") {
			t.Errorf("%s: %d %s, want %d", name, p.Status, p.Text, row.status)
		}
		if asked := op.Stats().Calls - before; asked != 0 && row.status == http.StatusBadRequest {
			t.Errorf("%s, and the provider was asked %d times", name, asked)
		}
	}

	p := client.post(a.URL+"/.auth/login/oidc", map[string]string{"username": "ada@example.com", "password": "any"})
	if p.Status != http.StatusOK || len(p.Header.Values("Set-Cookie")) != 0 {
		t.Fatalf("the right password: %d %s", p.Status, p.Text)
	}
	token := client.sessionToken(p)
	me := entries(t, client.with(http.MethodGet, a.URL+"/.auth/me", "", map[string]string{"X-ZUMO-AUTH": token}))
	if len(me) != 1 || me[0].User != "Person ada" {
		t.Errorf("/.auth/me: %d entries, %q", len(me), me[0].User)
	}
	first := account(token)
	pass(t, life+200*time.Millisecond)
	if second := account(token); second.Status != http.StatusOK || second.Text == first.Text {
		t.Errorf("after its life: %d %s, the same token: %v", second.Status, second.Text, second.Text == first.Text)
	}
	if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 {
		t.Errorf("stats %+v: want one refresh", got)
	}
}
