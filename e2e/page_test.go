package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// What a person does with quickstart, in a real browser, with the provider that
// is built in. Its access tokens live a minute, so this takes longer than one.
func TestPersonUsesQuickstart(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	q := startQuickstart(t, nil)

	c.Visit(q.URL)
	c.Wait("#sign-in")
	c.Screenshot("1-signed-out")
	c.Click("#sign-in")
	c.Type("#user", "ada")
	c.Screenshot("2-provider")
	c.Click("button[value=allow]")

	if name := c.Text("#user-name"); !strings.Contains(strings.ToLower(name), "ada") {
		t.Errorf("signed in as %q", name)
	}
	if claims := c.Text("#claims"); !strings.Contains(claims, "sub") || !strings.Contains(claims, "ada") {
		t.Errorf("claims: %q", claims)
	}
	c.mustRead("#refresh-log li[data-kind=started]", 1, patience)
	first := c.hash()
	c.mustCountDown("#token-countdown")
	c.mustCountDown("#session-countdown")
	c.Screenshot("3-signed-in")

	// Nobody touches anything, and the token is renewed before it dies.
	c.mustRead("#refresh-log li[data-kind=refreshed]", 1, 90*time.Second)
	second := c.hash()
	if second == first {
		t.Error("the log tells of a refresh, and the token is the same")
	}
	c.Screenshot("4-refreshed-by-itself")

	pass(t, justRenewed)
	c.Click("#refresh-now")
	c.mustRead("#refresh-log li[data-kind=refreshed]", 2, patience)
	if third := c.hash(); third == second {
		t.Error("pressed the button, and the token is the same")
	}

	c.Click("#fail-provider")
	pass(t, justRenewed)
	c.Click("#refresh-now")
	c.mustRead("#refresh-log li[data-kind=failed]", 1, patience)
	c.Wait("#user-name") // an outage signs nobody out
	c.Screenshot("5-provider-fails")

	// The provider recovers by itself after 30 s; revoked, it refuses for good.
	c.mustRead("#refresh-log li[data-kind=refreshed]", 3, 120*time.Second)
	c.Click("#revoke")
	pass(t, justRenewed)
	failures := c.Count("#refresh-log li[data-kind=failed]")
	c.Click("#refresh-now")
	c.mustRead("#refresh-log li[data-kind=failed]", failures+1, patience)
	c.Wait("#user-name") // the session outlives the grant
	c.Screenshot("6-revoked")

	c.Click("#sign-out")
	c.Wait("#sign-in")
	if n := c.Count("#user-name"); n != 0 {
		t.Error("signed out, and the page still shows a user")
	}
	c.Screenshot("7-signed-out")
}

func TestPersonSignsInAtOIDCProvider(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	c := startChromium(t)
	q := startQuickstart(t, op)

	c.Visit(q.URL)
	c.Click("#sign-in")
	c.Type("input[name=login]", "ada")
	c.Type("input[name=password]", "any")
	c.Screenshot("1-login")
	c.Click("button[type=submit]")
	c.Wait("input[name=prompt][value=consent] ~ button")
	c.Screenshot("2-consent")
	c.Click("button[type=submit]")

	if name := c.Text("#user-name"); name != "Person ada" {
		t.Errorf("signed in as %q", name)
	}
	if n := c.Count("#revoke, #fail-provider"); n != 0 {
		t.Errorf("%d of the development provider's controls with a real provider", n)
	}
	before := c.hash()
	pass(t, justRenewed)
	c.Click("#refresh-now")
	c.mustRead("#refresh-log li[data-kind=refreshed]", 1, patience)
	if c.hash() == before {
		t.Error("refreshed, and the token is the same")
	}
	c.Screenshot("3-refreshed")

	c.Click("#sign-out")
	c.Click("button[name=logout]") // the provider asks, too
	c.Wait("#sign-in")
	if got := op.Stats(); got.Logouts != 1 || got.Replays != 0 || got.Refreshed != got.Refreshes {
		t.Errorf("stats %+v", got)
	}
}

// The page on a phone is usable: nothing is wider than the screen.
func TestPageFitsAPhone(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	q := startQuickstart(t, nil)
	c.do("hold a phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	c.Visit(q.URL)
	c.mustFit("signed out")
	c.Click("#sign-in")
	c.Type("#user", "ada")
	c.mustFit("provider")
	c.Click("button[value=allow]")
	c.Wait("#user-name")
	c.hash()
	c.mustFit("signed in")
	c.Screenshot("phone")
}

// hash waits until the page shows the fingerprint of a token.
func (c *chromium) hash() (hash string) {
	c.t.Helper()
	eventually(c.t, patience, func() bool {
		hash = c.Text("#token-hash")
		return len(hash) == 64
	})
	return hash
}

// mustRead waits until the selector finds at least n elements.
func (c *chromium) mustRead(selector string, n int, limit time.Duration) {
	c.t.Helper()
	eventually(c.t, limit, func() bool { return c.Count(selector) >= n })
}

// mustCountDown demands that what is shown there changes within two seconds.
func (c *chromium) mustCountDown(selector string) {
	c.t.Helper()
	before := c.Text(selector)
	eventually(c.t, 3*time.Second, func() bool { return c.Text(selector) != before })
}

func (c *chromium) mustFit(what string) {
	c.t.Helper()
	c.do("measure", func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		wider, err := chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth")(ctx, tab)
		if wider {
			c.t.Errorf("%s: the page is wider than the screen", what)
		}
		return chromedp.Void{}, err
	})
}
