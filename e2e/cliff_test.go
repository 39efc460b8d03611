package e2e_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/e2e/internal/parts"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// A refresh token near its end: issue point 10, docs/refresh.md. The provider's
// tokens die for good; a person with a page open is not to notice.

// dying registers the application with what it has to know: how long refresh
// tokens live.
func dying(life time.Duration) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) {
		c.Refresh = providers.RefreshPolicy{Class: providers.Strict, Lifetime: life, Sliding: true}
	}
}

// noticed is how long before the end something is done about it.
func noticed(notice time.Duration) func(*easyauth.Config) {
	return func(c *easyauth.Config) { c.ReauthNotice, c.RefreshTokenInMe = notice, true }
}

const reauthHeader = "X-Ms-Reauth-On"

func TestRefreshTokenIsReplacedBeforeItDies(t *testing.T) {
	t.Parallel()
	const life, notice = 15 * time.Second, 10 * time.Second
	op := startProvider(t, opConfig{RefreshTTL: life, AlwaysRefresh: true})
	warned := make(chan session.Event, 10)
	a := startAppWith(t, op, setup{Provider: dying(life), App: func(c *easyauth.Config) {
		noticed(notice)(c)
		c.Hooks.ReauthSoon = func(_ context.Context, e session.Event) { warned <- e }
	}})
	v, began := a.SignedIn("ada"), time.Now()
	first, cookie := me(t, v, a), v.session(a)
	if p := v.Ask(a.URL + "/account"); p.Header.Get(reauthHeader) != "" || first.RefreshExpiresOn == "" || first.ReauthOn != "" {
		t.Fatalf("too early: header %q, /.auth/me %q and %q", p.Header.Get(reauthHeader), first.RefreshExpiresOn, first.ReauthOn)
	}
	pass(t, life-notice+time.Second)

	// A program is told, and is not sent anywhere.
	p := v.Ask(a.URL + "/account")
	if on := p.Header.Get(reauthHeader); p.Status != http.StatusOK || len(p.Hops) != 1 || on == "" || on != me(t, v, a).ReauthOn {
		t.Errorf("a program is answered %d, %s %q", p.Status, reauthHeader, on)
	}
	select {
	case e := <-warned:
		if e.Provider != "oidc" || e.UserID != "ada" || time.Until(e.ExpiresAt) > notice {
			t.Errorf("ReauthSoon is told %+v", e)
		}
	case <-time.After(patience):
		t.Error("ReauthSoon is told nothing")
	}
	// A person goes round by the provider, and is where they wanted to be.
	p = v.Visit(a.URL + "/account?tab=1")
	if p.Text != "account of ada" || p.URL.String() != a.URL+"/account?tab=1" || p.Header.Get(reauthHeader) != "" {
		t.Errorf("ends at %s: %s", p.URL, p.Text)
	}
	if asked := p.Hop("/auth"); asked == nil || asked.URL.Query().Get("prompt") != "none" || len(p.Hops) != 5 {
		t.Errorf("by way of %s", ways(p))
	}
	second := me(t, v, a)
	if v.session(a) == cookie || second.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.RefreshExpiresOn <= first.RefreshExpiresOn {
		t.Errorf("the session or the refresh token is still the old one, which dies at %s", second.RefreshExpiresOn)
	}

	// The first one is dead by now.
	pass(t, max(time.Until(began.Add(life+time.Second)), justRenewed))
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("the new refresh token is good for %d %s", p.Status, p.Text)
	}
	if got := op.Stats(); got.Logins != 2 || got.Refreshes != 1 || got.Refreshed != 1 || got.Revocations != 0 {
		t.Errorf("stats %+v: want two sign-ins, one refresh, and no grant revoked", got)
	}
}

// Who has signed out at the provider meanwhile is asked nothing, and loses nothing.
func TestCliffWithoutASessionAtTheProvider(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{AlwaysRefresh: true})
	a := startAppWith(t, op, setup{Provider: dying(time.Hour), App: noticed(2 * time.Hour)})
	v := a.Visitor()
	v.StopAt = func(next *url.URL) bool { return next.Path == "/" && strings.HasPrefix(a.URL, "http://"+next.Host) } // it would go round at once
	v.Approve(v.Visit(a.URL+"/.auth/login/oidc?post_login_redirect_uri=/"), "ada")
	v.StopAt = nil
	before, cookie := me(t, v, a), v.session(a)
	if p := v.Answer(v.Visit(op.Issuer+"/session/end"), url.Values{"logout": {"yes"}}); p.Status != http.StatusOK || op.Stats().Logouts != 1 {
		t.Fatalf("not signed out at the provider: %d at %s", p.Status, p.URL)
	}

	p := v.Visit(a.URL + "/account?tab=1")
	back := p.Hop(callbackPath)
	if back == nil || back.URL.Query().Get("error") != "login_required" {
		t.Errorf("by way of %s: nobody was asked", ways(p))
	}
	if p.Text != "account of ada" || p.URL.String() != a.URL+"/account?tab=1" || p.Header.Get(reauthHeader) == "" {
		t.Errorf("ends at %s: %d %s, %s %q", p.URL, p.Status, p.Text, reauthHeader, p.Header.Get(reauthHeader))
	}
	if after := me(t, v, a); v.session(a) != cookie || after.RefreshToken != before.RefreshToken {
		t.Error("the session or its refresh token is another one")
	}
	if p := v.Visit(a.URL + "/account?tab=2"); len(p.Hops) != 1 || p.Text != "account of ada" {
		t.Errorf("the second page within ten minutes goes by %s", ways(p))
	}
	pass(t, justRenewed)
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("the tokens that were left are good for %d %s", p.Status, p.Text)
	}
}

// The same at a provider that posts its answers, which arrive without the
// session's cookie.
func TestCliffAtAProviderThatPostsItsAnswer(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{AlwaysRefresh: true})
	a := startAppWith(t, op, setup{TLS: true, App: noticed(2 * time.Hour), Provider: func(c *providers.OIDCConfig) {
		posting(providers.CodeWithIDToken)(c)
		dying(time.Hour)(c)
	}})

	t.Run("who is signed in there gets a new session", func(t *testing.T) {
		parts.Chromium.Need(t)
		before := op.Stats()
		c := startChromium(t, a.Trusted())
		c.Visit(a.URL + "/account?tab=1")
		c.Approve("ada") // and round at once
		c.mustArrive(a.URL + "/account?tab=1")
		if got := c.Text("body"); got != "account of ada" {
			t.Errorf("the page says %q", got)
		}
		if got := op.Stats(); got.Logins-before.Logins != 2 || got.Revocations != 0 {
			t.Errorf("stats %+v: want two sign-ins", got)
		}
	})
	t.Run("who is not loses nothing", func(t *testing.T) {
		v := a.Visitor()
		v.StopAt = func(next *url.URL) bool { return next.Path == "/account" }
		v.Approve(v.Visit(a.URL+"/.auth/login/oidc?post_login_redirect_uri=/account"), "ada")
		v.StopAt = nil
		before := v.session(a)
		v.Answer(v.Visit(op.Issuer+"/session/end"), url.Values{"logout": {"yes"}})
		p := v.Visit(a.URL + "/account?tab=1")
		if back := p.Hop(callbackPath); back == nil || back.Method != http.MethodPost {
			t.Errorf("by way of %s", ways(p))
		}
		if p.Text != "account of ada" || p.URL.String() != a.URL+"/account?tab=1" || before == "" || v.session(a) != before {
			t.Errorf("ends at %s: %d %s", p.URL, p.Status, p.Text)
		}
	})
}

// oidc-provider gives no refresh token where nobody was asked for consent. The
// one that there is goes over to the new session (contract 1.8), and is warned
// about as before.
func TestCliffWhereASilentSignInBringsNoRefreshToken(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	a := startAppWith(t, op, setup{Provider: dying(time.Hour), App: noticed(2 * time.Hour)})
	v := a.Visitor()
	p := v.SignInAt(a.URL, "ada") // and round at once
	if asked := op.Stats().Logins; asked != 2 || p.Text != "signed in as ada" || p.Header.Get(reauthHeader) == "" {
		t.Errorf("%d sign-ins, the page says %q, %s %q", asked, p.Text, reauthHeader, p.Header.Get(reauthHeader))
	}
	if me(t, v, a).RefreshToken == "" {
		t.Error("the refresh token was lost")
	}
	pass(t, justRenewed)
	if p := v.Ask(a.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("it is good for %d %s", p.Status, p.Text)
	}
}

func me(t *testing.T, v *visitor, a *app) entry {
	t.Helper()
	list := entries(t, v.Ask(a.URL+"/.auth/me"))
	if len(list) != 1 {
		t.Fatalf("/.auth/me: %d entries", len(list))
	}
	return list[0]
}

// session is the value of the session cookie.
func (v *visitor) session(a *app) string {
	for _, c := range v.Cookies(a.URL) {
		if strings.TrimPrefix(c.Name, "__Host-") == "easyauth" {
			return c.Value
		}
	}
	return ""
}

// ways are the paths that a page was reached by.
func ways(p page) string {
	var paths []string
	for _, h := range p.Hops {
		paths = append(paths, h.URL.Path)
	}
	return strings.Join(paths, " ")
}
