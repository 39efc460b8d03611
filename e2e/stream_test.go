package e2e_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stream lives longer than its tokens: what it asks for after the first byte
// was written is fresh, whoever refreshed it, and the end of the session on
// another replica is the end of the stream.
func TestA9StreamHasFreshTokensAndEndsWithItsSession(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		const life = 2 * time.Second
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		v := f.SignedIn("ada")
		lines := f.Stream(v, 0)

		seen := make(map[string]bool)
		for line := range lines {
			switch {
			case line == "begun":
			case len(line) == 64:
				seen[line] = true
			default:
				t.Fatalf("the stream says %q", line)
			}
			if len(seen) == 4 {
				break
			}
		}
		if p := f.Ask(v, 1, "/token"); p.Status != http.StatusOK {
			t.Errorf("beside the stream: %d %s", p.Status, p.Text)
		}
		if got := op.Stats(); got.Replays != 0 || got.Refreshed < 3 || got.Refreshed != got.Refreshes {
			t.Errorf("stats %+v", got)
		}

		signedOut := time.Now()
		f.SignOut(v, 2)
		last := ""
		for line := range lines {
			last = line
		}
		if took := time.Since(signedOut); last != "ended" || took > 3*time.Second {
			t.Errorf("signed out elsewhere, the stream ends after %s with %q", took, last)
		}
	})
}

// Two audiences of one grant, asked for on different replicas at once: one
// refresh token serves both, one after the other.
func TestA10TwoAudiencesAtOnceAreTwoCallsInTurn(t *testing.T) {
	t.Parallel()
	const (
		life     = 3 * time.Second
		resource = "https://api.example"
	)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startProvider(t, opConfig{AccessTTL: life})
		f := newFleet(t, st)
		f.Start(op)
		v := f.Visitor()
		op.signIn(v, f.URL+"/.auth/login/oidc?resource=https%3A%2F%2Fapi.example&scope=openid+offline_access+read", "ada")
		pass(t, life+200*time.Millisecond)
		op.Next(fault{Calls: 2, Delay: 300 * time.Millisecond})

		var all sync.WaitGroup
		var mu sync.Mutex
		own, api := make(map[string]bool), make(map[string]bool)
		for i := range 30 {
			all.Go(func() {
				path, tokens := "/token", own
				if i%2 == 0 {
					path, tokens = "/token-for?resource="+resource, api
				}
				p := f.Ask(v, i%replicas, path)
				mu.Lock()
				defer mu.Unlock()
				tokens[p.Text] = true
				if p.Status != http.StatusOK {
					t.Errorf("%s: %d %s", path, p.Status, p.Text)
				}
				if path != "/token" && audience(p.Text) != resource {
					t.Errorf("a token for %q", audience(p.Text))
				}
			})
		}
		all.Wait()
		if len(own) != 1 || len(api) != 1 {
			t.Errorf("%d and %d different tokens of the two audiences", len(own), len(api))
		}
		if got := op.Stats(); got.Refreshes != 2 || got.Refreshed != 2 || got.MaxInFlight != 1 || got.Replays != 0 {
			t.Errorf("stats %+v: want two refreshes in turn", got)
		}
	})
}

// audience is the claim of a JWT.
func audience(token string) string {
	var claims struct{ Aud string }
	if parts := strings.Split(token, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		json.Unmarshal(payload, &claims)
	}
	return claims.Aud
}

// Stream opens /stream at one replica. The channel holds its lines as far as
// anybody reads them, and is closed at the stream's end, or when a minute is over.
func (f *fleet) Stream(v *visitor, replica int) <-chan string {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithValue(f.t.Context(), replicaKey{}, replica), time.Minute)
	f.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+"/stream", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range v.Cookies(f.URL) {
		req.AddCookie(c)
	}
	resp, err := f.network.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		f.t.Fatalf("the stream is answered %d", resp.StatusCode)
	}
	lines := make(chan string)
	f.t.Cleanup(func() { resp.Body.Close() })
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			select {
			case lines <- in.Text():
			case <-f.t.Context().Done():
				return
			}
		}
	}()
	return lines
}
