package e2e_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An outage of the provider is 503 with Retry-After and nothing else: the
// session, its cookie and its refresh token survive it.

func TestProviderThatIsBusySignsNobodyOut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			const life = 2 * time.Second
			op := startProvider(t, opConfig{AccessTTL: life})
			a := startApp(t, op, nil)
			v := a.SignedIn("ada")
			pass(t, life+200*time.Millisecond)
			op.Next(fault{Calls: 100, Status: status, RetryAfter: 2 * time.Second})

			mustWait(t, v.Ask(a.URL+"/.auth/refresh"))
			mustWait(t, v.Ask(a.URL+"/token"))
			calls := op.Stats().Calls
			mustWait(t, v.Ask(a.URL+"/token"))
			if got := op.Stats().Calls; got != calls {
				t.Errorf("the provider was asked again before its Retry-After: %d calls", got-calls)
			}
			if p := v.Visit(a.URL + "/account"); p.Text != "account of ada" {
				t.Errorf("during the outage: %d %q", p.Status, p.Text)
			}

			op.Next(fault{})
			eventually(t, 20*time.Second, func() bool { return v.Ask(a.URL+"/token").Status == http.StatusOK })
			if got := op.Stats(); got.Replays != 0 || got.Refreshed != 1 {
				t.Errorf("stats %+v after the outage", got)
			}
		})
	}
}

func TestProviderThatIsGoneSignsNobodyOut(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	op := startProvider(t, opConfig{AccessTTL: life})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")
	cookies := v.Cookies(a.URL)
	pass(t, life+200*time.Millisecond)
	op.Kill()

	mustWait(t, v.Ask(a.URL+"/.auth/refresh"))
	mustWait(t, v.Ask(a.URL+"/token"))
	if p := v.Visit(a.URL + "/account"); p.Text != "account of ada" {
		t.Errorf("during the outage: %d %q", p.Status, p.Text)
	}
	if p := v.Visit(a.URL + "/token"); p.Status != http.StatusServiceUnavailable || !strings.Contains(p.Text, "<h1>") {
		t.Errorf("a page that needs a token: %d", p.Status)
	}
	if now := v.Cookies(a.URL); len(now) != len(cookies) || now[0].Value != cookies[0].Value {
		t.Error("the outage touched the cookie")
	}
}

func TestGrantRevokedAtTheProviderIsForbiddenToRefresh(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	op := startProvider(t, opConfig{AccessTTL: life})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")
	op.RevokeEverything()
	pass(t, life+200*time.Millisecond)

	p := v.Ask(a.URL + "/.auth/refresh")
	if p.Status != http.StatusForbidden || !strings.Contains(p.Text, "refresh_rejected") {
		t.Fatalf("/.auth/refresh: %d %s", p.Status, p.Text)
	}
	if p := v.Ask(a.URL + "/token"); p.Status != http.StatusUnauthorized || !strings.Contains(p.Text, "reauth_required") {
		t.Errorf("an API that needs a token: %d %s", p.Status, p.Text)
	}
	if p := v.Step(a.URL + "/token"); p.Status != http.StatusFound {
		t.Errorf("a page that needs a token: %d", p.Status)
	}
	if p := v.Visit(a.URL + "/account"); p.Text != "account of ada" {
		t.Errorf("the session ended with the grant: %d %q", p.Status, p.Text)
	}
	if p := v.SignInAt(a.URL, "ada"); p.Text != "signed in as ada" {
		t.Errorf("signing in again: %q", p.Text)
	}
	if p := v.Ask(a.URL + "/token"); p.Status != http.StatusOK {
		t.Errorf("token after signing in again: %d", p.Status)
	}
}

// RevokeEverything revokes every refresh token that was issued, at the
// provider's own endpoint, as a user's account page would.
func (p *oidcProvider) RevokeEverything() {
	p.t.Helper()
	for _, secret := range slices.Backward(p.Secrets()) { // a refresh token before its access token, which would take it along uncounted
		form := url.Values{"token": {secret}, "token_type_hint": {"refresh_token"}}
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.Issuer+"/token/revocation", strings.NewReader(form.Encode()))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(clientID, clientSecret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body.Close()
	}
	if p.Stats().Revocations == 0 {
		p.t.Fatal("nothing was revoked")
	}
}

// mustWait demands 503 with a Retry-After that a client can follow: a minute at
// most, or what the provider itself asked for.
func mustWait(t *testing.T, p page, asked ...time.Duration) {
	t.Helper()
	longest := slices.Max(append(asked, time.Minute))
	after, err := strconv.Atoi(p.Header.Get("Retry-After"))
	if p.Status != http.StatusServiceUnavailable || err != nil || after < 1 || time.Duration(after)*time.Second > longest {
		t.Errorf("%s: %d, Retry-After %q: %s", p.URL.Path, p.Status, p.Header.Get("Retry-After"), p.Text)
	}
}

// eventually asks four times a second until it is true, or ends the test when
// the time is up.
func eventually(t testing.TB, limit time.Duration, is func() bool) {
	t.Helper()
	if !within(limit, is) {
		t.Fatalf("not true within %s", limit)
	}
}

// within asks four times a second until it is true or the time is up.
func within(limit time.Duration, is func() bool) bool {
	for deadline := time.Now().Add(limit); !is(); time.Sleep(250 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
