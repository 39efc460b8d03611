package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestWholePathFromLoginToLogout(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")

	me := entries(t, v.Ask(a.URL+"/.auth/me"))
	if len(me) != 1 || me[0].Provider != "oidc" || me[0].AccessToken == "" || me[0].IDToken == "" {
		t.Fatalf("/.auth/me: %d entries", len(me))
	}
	if me[0].RefreshToken != "" {
		t.Error("/.auth/me gives the refresh token away without being told to")
	}
	if got := me[0].claim("sub", nameIdentifier); got != "ada" {
		t.Errorf("subject %q in /.auth/me", got)
	}
	if got := me[0].claim("name"); got != "Person ada" {
		t.Errorf("name %q: the strict provider tells it only at its userinfo endpoint", got)
	}

	if got := op.Stats(); got.Logins != 1 || got.Userinfo != 1 {
		t.Errorf("stats after the login %+v: want one code and one look at userinfo", got)
	}

	before := v.Ask(a.URL + "/token").Text
	pass(t, justRenewed)
	for range 2 {
		if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
			t.Fatalf("/.auth/refresh: %d %s", p.Status, p.Text)
		}
	}
	if after := v.Ask(a.URL + "/token").Text; after == before {
		t.Error("the access token is the same after a refresh")
	}
	if got := op.Stats(); got.Refreshes != 1 || got.Refreshed != 1 {
		t.Errorf("stats after two refreshes at once: %+v, want one", got)
	}

	thief := a.Visitor()
	thief.Rob(v, a.URL)
	p := v.Visit(a.URL + "/.auth/logout")
	if !strings.HasPrefix(p.URL.String(), op.Issuer) {
		t.Fatalf("logout went to %s, not to the provider", p.URL)
	}
	p = v.Answer(p, url.Values{"logout": {"yes"}})
	if p.URL.Path != "/.auth/logout/complete" || p.Status != http.StatusOK {
		t.Errorf("logout ended with %d at %s", p.Status, p.URL)
	}
	if got := op.Stats(); got.Revocations == 0 || got.Logouts != 1 {
		t.Errorf("stats after logout %+v: want the grant revoked and one logout", got)
	}
	if body := v.Visit(a.URL + "/").Text; body != "stranger" {
		t.Errorf("after logout the page says %q", body)
	}
	if p := thief.Ask(a.URL + "/account"); p.Status != http.StatusUnauthorized {
		t.Errorf("SES3: the cookie of before the logout gets %d", p.Status)
	}
}

func TestStrangersAreSentToLoginOrRefused(t *testing.T) {
	t.Parallel()
	a := startApp(t, startProvider(t, opConfig{}), nil)
	stranger := a.Visitor()

	p := stranger.Step(a.URL + "/account?tab=1")
	where, err := url.Parse(p.Header.Get("Location"))
	if err != nil || p.Status != http.StatusFound || where.Path != "/.auth/login" ||
		where.Query().Get("post_login_redirect_uri") != "/account?tab=1" {
		t.Errorf("page: %d to %v", p.Status, where)
	}
	p = stranger.Ask(a.URL + "/account")
	if p.Status != http.StatusUnauthorized || p.Header.Get("WWW-Authenticate") == "" ||
		p.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("API: %d %v", p.Status, p.Header)
	}

	signedIn := stranger.Approve(stranger.Visit(a.URL+"/account?tab=1"), "ada")
	if signedIn.Text != "account of ada" || signedIn.URL.RawQuery != "tab=1" {
		t.Errorf("after the login: %q at %s", signedIn.Text, signedIn.URL)
	}
}

// To the provider, both sign-ins of one browser are one grant: revoking a token
// of the first would end those of the second.
func TestSigningInAgainKeepsTheNewTokens(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	v := a.SignedIn("ada")
	v.SignInAt(a.URL, "ada")
	pass(t, justRenewed)
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("a refresh after the second sign-in is answered %d %s", p.Status, p.Text)
	}
	if got := op.Stats(); got.Logins != 2 || got.Refreshed != 1 || got.Revocations != 0 {
		t.Errorf("stats %+v: want two sign-ins, one refresh, and no grant revoked", got)
	}
}

func TestLOG15TwoTabsSignInAtOnce(t *testing.T) {
	t.Parallel()
	a := startApp(t, startProvider(t, opConfig{}), nil)
	v := a.Visitor()

	first := callbackOf(v, a, "/?tab=first")
	second := callbackOf(v, a, "/?tab=second")
	for tab, callback := range map[string]string{"second": second, "first": first} {
		p := v.Visit(callback)
		if p.Text != "signed in as ada" || p.URL.RawQuery != "tab="+tab {
			t.Errorf("%s tab: %d %q at %s", tab, p.Status, p.Text, p.URL)
		}
	}
}

func TestLOG8LoginBegunElsewhereCannotFinishHere(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	attacker, victim := a.Visitor(), a.Visitor()

	p := victim.Visit(callbackOf(attacker, a, "/"))
	if p.Status != http.StatusBadRequest {
		t.Errorf("%d at %s", p.Status, p.URL)
	}
	if body := victim.Visit(a.URL + "/").Text; body != "stranger" {
		t.Errorf("the victim is %q", body)
	}
	if got := op.Stats().Calls; got != 0 {
		t.Errorf("the code was spent: %d token calls", got)
	}
}

func TestREP1CallbackWorksOnce(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startApp(t, op, nil)
	v := a.Visitor()
	callback := callbackOf(v, a, "/")

	thief := a.Visitor() // who got hold of the whole browser profile: cookies and history
	thief.Rob(v, a.URL)

	statuses := make(chan int)
	var arrived sync.WaitGroup
	arrived.Add(2)
	for _, who := range []*visitor{v, thief} {
		go func() {
			arrived.Done()
			arrived.Wait()
			statuses <- who.Step(callback).Status
		}()
	}
	accepted := 0
	for range 2 {
		if status := <-statuses; status == http.StatusFound || status == http.StatusSeeOther {
			accepted++
		}
	}
	if got := op.Stats(); accepted != 1 || got.Calls != 1 {
		t.Errorf("%d of two copies of a callback were accepted, %d token calls", accepted, got.Calls)
	}
	if status := thief.Step(callback).Status; status == http.StatusOK {
		t.Errorf("a third copy: %d", status)
	}
}

// callbackOf goes through a login up to the provider's last redirect, which it
// does not follow.
func callbackOf(v *visitor, a *app, target string) (callback string) {
	v.t.Helper()
	v.StopAt = func(next *url.URL) bool {
		back := strings.HasSuffix(next.Path, "/callback")
		if back {
			callback = next.String()
		}
		return back
	}
	defer func() { v.StopAt = nil }()
	v.Approve(v.Visit(a.URL+"/.auth/login/oidc?post_login_redirect_uri="+url.QueryEscape(target)), "ada")
	if callback == "" {
		v.t.Fatal("the provider sent nobody back")
	}
	return callback
}

// entry is what /.auth/me says of one provider.
type entry struct {
	Provider         string                      `json:"provider_name"`
	User             string                      `json:"user_id"`
	AccessToken      string                      `json:"access_token"`
	IDToken          string                      `json:"id_token"`
	RefreshToken     string                      `json:"refresh_token"`
	RefreshExpiresOn string                      `json:"refresh_token_expires_on"`
	ReauthOn         string                      `json:"reauth_on"`
	ExpiresOn        string                      `json:"expires_on"`
	Claims           []struct{ Typ, Val string } `json:"user_claims"`
}

const nameIdentifier = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

// claim is the first claim of one of these types.
func (e entry) claim(types ...string) string {
	for _, c := range e.Claims {
		for _, typ := range types {
			if c.Typ == typ {
				return c.Val
			}
		}
	}
	return ""
}

func entries(t *testing.T, p page) (list []entry) {
	t.Helper()
	if p.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", p.URL.Path, p.Status, p.Text)
	}
	if err := json.Unmarshal([]byte(p.Text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}
