package e2e_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

// Three quickstarts on one store are one application: a cookie is good at all of
// them, what one refreshes the others have, and a logout at one is a logout at
// all. Nobody but -migrate prepares the database.
func TestThreeQuickstartsShareTheirSessions(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(t *testing.T) []string{
		"redis":    func(t *testing.T) []string { return []string{"-store", testserver.NewRedis(t).URL()} },
		"postgres": func(t *testing.T) []string { return []string{"-store", testserver.NewPostgres(t).URL(), "-migrate"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const life = 3 * time.Second
			op := startProvider(t, opConfig{AccessTTL: life})
			args := append(store(t), "-keys", filepath.Join(t.TempDir(), "keys"))
			all := []*quickstart{startQuickstart(t, op, args...)}
			args = append(args, "-base-url", all[0].URL)
			for len(all) < replicas {
				all = append(all, startQuickstart(t, op, args...))
			}
			v := all[0].SignedIn("ada")
			before := all[0].Token(v)
			pass(t, life+200*time.Millisecond)
			after := all[1].Token(v)
			if after.Status != http.StatusOK || after.SHA256 == before.SHA256 {
				t.Errorf("the token has expired, and the second one answers %+v", after)
			}
			for i, q := range all {
				if got := q.Whoami(v); got.Status != http.StatusOK || got.User != "ada" {
					t.Errorf("number %d knows %+v", i, got)
				}
				if got := q.Token(v); got.SHA256 != after.SHA256 {
					t.Errorf("number %d has another token: %+v", i, got)
				}
			}
			if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 {
				t.Errorf("stats %+v: want one refresh for all", got)
			}

			v.Visit(all[0].URL + "/.auth/logout")
			for i, q := range all {
				if p := v.Ask(q.URL + "/api/whoami"); p.Status != http.StatusUnauthorized {
					t.Errorf("signed out, number %d answers %d", i, p.Status)
				}
			}
		})
	}
}
