package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// A logout on one replica, while another is at some point of a refresh, is a
// logout everywhere, and what the refresh brings is revoked (I8).
func TestA8LogoutAtEachPointOfARefresh(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startTestProvider(t, providertest.Config{AccessTokenLifetime: life})
		f := newFleet(t, st)
		f.Start(op)
		for _, point := range []string{beginning, locked, presented, committing, committed} {
			v := f.SignedIn("ada")
			thief := f.Visitor()
			thief.Rob(v, f.URL)
			pass(t, life+100*time.Millisecond)

			f.replicas[0].StopAt(point)
			refreshed := make(chan page)
			go func() { refreshed <- f.Try(v, 0, "/token") }()
			f.replicas[0].AwaitPoint(point)
			if status := f.SignOut(v, 1); status != http.StatusFound {
				t.Errorf("at %s: the logout is answered %d", point, status)
			}
			f.replicas[0].Resume()
			// Once the tokens are stored the request may have its answer: it was
			// asked before the logout.
			if p := <-refreshed; p.Status != http.StatusUnauthorized && point != committed {
				t.Errorf("at %s: signed out meanwhile, the request is answered %d %s", point, p.Status, p.Text)
			} else if live(p.Header) {
				t.Errorf("at %s: the dead session's cookie is set again", point)
			}
			for i := range replicas {
				if p := f.Ask(thief, i, "/account"); p.Status != http.StatusUnauthorized {
					t.Errorf("at %s: replica %d still answers %d %s", point, i, p.Status, p.Text)
				}
			}
			eventually(t, 5*time.Second, func() bool { return op.Stats().LiveGrants == 0 })
		}
	})
}

// live reports whether an answer sets a cookie that is not a deletion.
func live(answer http.Header) bool {
	for _, c := range (&http.Response{Header: answer}).Cookies() {
		if c.MaxAge >= 0 && c.Value != "" {
			return true
		}
	}
	return false
}

// SignOut lets a visitor sign out at one replica, without going on to the
// provider, and returns the status.
func (f *fleet) SignOut(v *visitor, replica int) int {
	f.t.Helper()
	ctx := context.WithValue(f.t.Context(), replicaKey{}, replica)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+"/.auth/logout", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	for _, c := range v.Cookies(f.URL) {
		req.AddCookie(c)
	}
	resp, err := f.network.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
