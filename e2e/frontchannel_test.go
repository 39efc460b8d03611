package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Microsoft Entra ID and its like answer by a form that the browser posts from
// their page to the application's, with an ID token beside the code, or alone.

const callbackPath = "/.auth/login/oidc/callback"

// posting registers the application for posted answers of that kind.
func posting(answer providers.ResponseType) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) {
		c.ClientID, c.ResponseType, c.FormPost = clientIDFront, answer, true
		if answer == providers.InsecureIDTokenOnly {
			c.ClientSecret, c.Scopes = providers.Secret{}, []string{"openid", "profile", "email"}
		}
	}
}

func TestContract12ProviderPostsItsAnswer(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	var refreshes []func()
	for _, row := range []struct {
		answer  providers.ResponseType
		codes   int // traded for tokens
		refresh int // what a refresh is answered
	}{
		{providers.CodeOnly, 1, http.StatusOK},
		{providers.CodeWithIDToken, 1, http.StatusOK},
		{providers.InsecureIDTokenOnly, 0, http.StatusBadRequest},
	} {
		a := startAppWith(t, op, setup{TLS: true, Provider: posting(row.answer)})
		before, v := op.Stats(), a.Visitor()
		p := v.SignInAt(a.URL, "ada")
		if p.Text != "signed in as ada" {
			t.Errorf("%s: the login ends on %q", row.answer, p.Text)
		}
		post := p.Hop(callbackPath)
		if post == nil || post.Method != http.MethodPost || post.URL.RawQuery != "" || post.Sent.Get("Sec-Fetch-Site") != "cross-site" {
			t.Errorf("%s: the answer came as %+v, not as a post of the provider's page", row.answer, post)
		}
		me := entries(t, v.Ask(a.URL+"/.auth/me"))
		if len(me) != 1 || me[0].claim("name") != "Person ada" || me[0].IDToken == "" || (me[0].AccessToken != "") != (row.codes == 1) {
			t.Errorf("%s: /.auth/me: %d entries, ID token %v, access token %v", row.answer, len(me), me[0].IDToken != "", me[0].AccessToken != "")
		}
		if got := op.Stats().Logins - before.Logins; got != row.codes {
			t.Errorf("%s: %d codes were traded, want %d", row.answer, got, row.codes)
		}
		refreshes = append(refreshes, func() {
			if got := v.Ask(a.URL + "/.auth/refresh"); got.Status != row.refresh {
				t.Errorf("%s: a refresh is answered %d %s, want %d", row.answer, got.Status, got.Text, row.refresh)
			}
		})
	}
	pass(t, justRenewed)
	for _, refresh := range refreshes {
		refresh()
	}
}

// What comes by way of the browser may have been exchanged there. Nothing of
// such an answer is accepted, and no code of it is spent.
func TestPostedAnswerThatWasTamperedWith(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startAppWith(t, op, setup{TLS: true, Provider: posting(providers.CodeWithIDToken)})
	for name, row := range map[string]struct {
		tamper func(victim, attacker url.Values)
		reason string
	}{
		"the code of another answer": {
			func(victim, attacker url.Values) { victim.Set("code", attacker.Get("code")) }, "c_hash is not that of the code"},
		"code and ID token of another answer": {
			func(victim, attacker url.Values) {
				victim.Set("code", attacker.Get("code"))
				victim.Set("id_token", attacker.Get("id_token"))
			}, "nonce"},
		"the ID token left out": {
			func(victim, _ url.Values) { victim.Del("id_token") }, "the response lacks iss"},
		"the issuer of another provider": {
			func(victim, _ url.Values) { victim.Set("iss", "https://evil.example") }, "iss of the response is not the provider's issuer"},
		"MIX2 a second code": {
			func(victim, attacker url.Values) { victim.Add("code", attacker.Get("code")) }, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			before, logged := op.Stats().Calls, len(a.logs.String())
			attacker := answerOf(a.Visitor(), a, "mallory")
			v := a.Visitor()
			form := answerOf(v, a, "ada")
			row.tamper(form.Values, attacker.Values)
			if p := v.read(v.Submit(form)); p.Status != http.StatusBadRequest {
				t.Errorf("answered %d at %s", p.Status, p.URL)
			}
			if log := a.logs.String()[logged:]; !strings.Contains(log, row.reason) {
				t.Errorf("refused, but not because of %q:\n%s", row.reason, log)
			}
			if body := v.Visit(a.URL + "/").Text; body != "stranger" {
				t.Errorf("the victim is %q", body)
			}
			if spent := op.Stats().Calls - before; spent != 0 {
				t.Errorf("%d codes were spent", spent)
			}
		})
	}
}

// LOG8 by post: the answer to a login that was begun in another browser.
func TestLOG8PostedAnswerOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startAppWith(t, op, setup{TLS: true, Provider: posting(providers.CodeWithIDToken)})
	stolen := answerOf(a.Visitor(), a, "mallory")
	victim := a.Visitor()
	if p := victim.read(victim.Submit(stolen)); p.Status != http.StatusBadRequest {
		t.Errorf("answered %d at %s", p.Status, p.URL)
	}
	if body := victim.Visit(a.URL + "/").Text; body != "stranger" || op.Stats().Calls != 0 {
		t.Errorf("the victim is %q, %d token calls", body, op.Stats().Calls)
	}
}

// A real browser keeps the attempt's cookie back from a cross-site post unless
// it is SameSite=None and Secure.
func TestPersonSignsInByAPostedAnswer(t *testing.T) {
	t.Parallel()
	parts.Chromium.Need(t)
	a := startAppWith(t, startProvider(t, opConfig{}), setup{TLS: true, Provider: posting(providers.CodeWithIDToken)})
	c := startChromium(t, a.Trusted())
	c.Visit(a.URL + "/account?tab=1")
	c.Approve("ada")
	c.mustArrive(a.URL + "/account?tab=1")
	if got := c.Text("body"); got != "account of ada" {
		t.Errorf("the page says %q", got)
	}
}

// answerOf goes through a login up to the form that the provider's page would
// post.
func answerOf(v *visitor, a *app, name string) providertest.Form {
	v.t.Helper()
	v.StopAt = func(next *url.URL) bool { return next.Path == callbackPath }
	defer func() { v.StopAt = nil }()
	p := v.Approve(v.Visit(a.URL+"/.auth/login/oidc?post_login_redirect_uri=/"), name)
	forms := p.Forms()
	if len(forms) != 1 || !strings.HasSuffix(forms[0].Action, callbackPath) {
		v.t.Fatalf("no form for the application at %s (%d):\n%s", p.URL, p.Status, p.Text)
	}
	return forms[0]
}
