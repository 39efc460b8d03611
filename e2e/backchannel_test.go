package e2e_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A person with two browsers, and so with two sessions at the provider, signs
// out at the provider in one of them. The provider tells the application, whose
// session of that browser ends, and only that one.
func TestBackchannelLogoutEndsTheSessionOfThatBrowser(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	op.TellAt(a.URL)
	laptop, phone, other := a.SignedIn("ada"), a.SignedIn("ada"), a.SignedIn("bob")

	laptop.signOutAt(op)
	if got := op.toldLogouts(); got.Told != 1 || got.Untold != 0 {
		t.Fatalf("the provider told of %d sign-outs, and of %d in vain", got.Told, got.Untold)
	}
	for who, want := range map[*visitor]string{laptop: "stranger", phone: "signed in as ada", other: "signed in as bob"} {
		if text := who.Visit(a.URL + "/").Text; text != want {
			t.Errorf("the page says %q, want %q", text, want)
		}
	}
	if got := op.Stats(); got.Revocations == 0 {
		t.Errorf("the refresh token of the ended session lives: %+v", got)
	}
	if p := phone.Ask(a.URL + "/token"); p.Status != http.StatusOK {
		t.Errorf("the other browser gets no token: %d %s", p.Status, p.Text)
	}

	// What the provider has sent is of no use to anybody who finds it.
	tokens := op.logoutTokens()
	if len(tokens) != 1 {
		t.Fatalf("%d logout tokens", len(tokens))
	}
	back := a.SignedIn("ada")
	for name, token := range map[string]string{"REP5 again": tokens[0], "JWT12 an ID token": entries(t, back.Ask(a.URL+"/.auth/me"))[0].IDToken} {
		if status := a.post("/.auth/backchannel-logout/oidc", url.Values{"logout_token": {token}}); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if text := back.Visit(a.URL + "/").Text; text != "signed in as ada" {
		t.Errorf("after the replay the page says %q", text)
	}
}

// A session that was renewed since its sign-in is still known by the name that
// the provider has for it.
func TestBackchannelLogoutAfterARefresh(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	op.TellAt(a.URL)
	v := a.SignedIn("ada")
	pass(t, justRenewed)
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK || op.Stats().Refreshed != 1 {
		t.Fatalf("/.auth/refresh: %d %s", p.Status, p.Text)
	}
	v.signOutAt(op)
	if text := v.Visit(a.URL + "/").Text; text != "stranger" {
		t.Errorf("the page says %q", text)
	}
}

// A15: signing out at the application ends its session first, so that what the
// provider then tells is of a session that is over.
func TestA15BackchannelLogoutOfASessionThatIsOver(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	op.TellAt(a.URL)
	v := a.SignedIn("ada")
	p := v.Answer(v.Visit(a.URL+"/.auth/logout"), url.Values{"logout": {"yes"}})
	if p.URL.Path != "/.auth/logout/complete" || p.Status != http.StatusOK {
		t.Errorf("logout ended with %d at %s", p.Status, p.URL)
	}
	if got := op.toldLogouts(); got.Told != 1 || got.Untold != 0 {
		t.Errorf("the provider told of %d sign-outs, and of %d in vain", got.Told, got.Untold)
	}
}

// TellAt makes the provider tell an application of sign-outs.
func (p *oidcProvider) TellAt(base string) {
	p.t.Helper()
	p.control("/_tell", url.Values{"at": {base}}, new(any))
}

// toldLogouts counts the logout tokens that the application accepted, and those
// that it did not.
func (p *oidcProvider) toldLogouts() (told struct{ Told, Untold int }) {
	p.t.Helper()
	p.control("/_stats", nil, &told)
	return told
}

// logoutTokens are those that the provider sent so far.
func (p *oidcProvider) logoutTokens() (tokens []string) {
	p.t.Helper()
	for _, secret := range p.Secrets() {
		header, _, _ := strings.Cut(secret, ".")
		if text, err := base64.RawURLEncoding.DecodeString(header); err == nil && strings.Contains(string(text), "logout+jwt") {
			tokens = append(tokens, secret)
		}
	}
	return tokens
}

// signOutAt signs out at the provider itself, which asks whether that is meant.
func (v *visitor) signOutAt(op *oidcProvider) {
	v.t.Helper()
	if p := v.Answer(v.Visit(op.Issuer+"/session/end"), url.Values{"logout": {"yes"}}); p.Status != http.StatusOK {
		v.t.Fatalf("the provider's sign-out ended with %d at %s", p.Status, p.URL)
	}
}

// post posts a form as a program does, and returns the status.
func (a *app) post(path string, form url.Values) int {
	a.t.Helper()
	resp, err := http.PostForm(a.URL+path, form)
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
