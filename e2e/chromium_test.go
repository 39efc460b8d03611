package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

// chromium is a real browser with one tab, and its person.
type chromium struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	troubles []string
}

// startChromium starts one with an empty profile. When the test ends, scripts
// that broke and things that a Content-Security-Policy stopped are errors.
func startChromium(t testing.TB, more ...chromedp.ExecAllocatorOption) *chromium {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(parts.Chromium.Need(t)),
		chromedp.NoSandbox, // which does not work for root, and the pages are ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), // it would look for the vendor's hosts
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"), // fonts of other hosts fail at once
		chromedp.Flag("lang", "en"),
		chromedp.WindowSize(1100, 1200),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, closeTab := chromedp.NewContext(alloc)
	c := &chromium{t: t, ctx: ctx}
	var listening sync.WaitGroup
	t.Cleanup(func() {
		if t.Failed() {
			c.Screenshot("failed")
		}
		closeTab()
		stop()
		listening.Wait()
		for _, trouble := range c.troubles {
			t.Errorf("in the browser's console: %s", trouble)
		}
	})
	messages := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Source == "security" || strings.Contains(m.Text, "Content Security Policy") {
				c.mu.Lock()
				c.troubles = append(c.troubles, m.String())
				c.mu.Unlock()
			}
		}
	})
	return c
}

// Visit types a URL into the address bar.
func (c *chromium) Visit(url string) {
	c.t.Helper()
	c.do("visit "+url, chromedp.Navigate(url))
}

// Click waits for what the selector finds and clicks it.
func (c *chromium) Click(selector string) {
	c.t.Helper()
	c.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type waits for a field and types into it.
func (c *chromium) Type(selector, text string) {
	c.t.Helper()
	c.do("type into "+selector, chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Approve fills in the forms of oidc-provider.
func (c *chromium) Approve(name string) {
	c.t.Helper()
	c.Type("input[name=login]", name)
	c.Type("input[name=password]", "any")
	c.Click("button[type=submit]")
	c.Wait("input[name=prompt][value=consent] ~ button")
	c.Click("button[type=submit]")
}

// Wait waits until what the selector finds can be seen.
func (c *chromium) Wait(selector string) {
	c.t.Helper()
	c.do("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Text is what a person reads there.
func (c *chromium) Text(selector string) string {
	c.t.Helper()
	c.Wait(selector)
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		c.t.Fatalf("read %s: %v", selector, err)
	}
	return strings.TrimSpace(text)
}

// Count is how many elements the selector finds now.
func (c *chromium) Count(selector string) int {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", selector)))
	if err != nil {
		c.t.Fatalf("count %s: %v", selector, err)
	}
	return n
}

// Location is what the address bar shows.
func (c *chromium) Location() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	location, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		c.t.Fatalf("location: %v", err)
	}
	return location
}

// mustArrive waits until the address bar shows this.
func (c *chromium) mustArrive(url string) {
	c.t.Helper()
	for began := time.Now(); c.Location() != url; pass(c.t, 20*time.Millisecond) {
		if time.Since(began) > patience {
			c.t.Fatalf("at %s, not at %s", c.Location(), url)
		}
	}
}

// Screenshot keeps a picture of the whole page for a person to look at, in
// $EASYAUTH_SCREENSHOTS or the ci-output folder, which is never committed.
func (c *chromium) Screenshot(name string) {
	c.t.Helper()
	dir := os.Getenv("EASYAUTH_SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join("..", "ci-output", "screenshots")
	}
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		file := strings.ReplaceAll(c.t.Name(), "/", "-") + "-" + name + ".png"
		err = os.WriteFile(filepath.Join(dir, file), picture, 0o644)
	}
	if err != nil {
		c.t.Errorf("screenshot: %v", err)
	}
}

// patience is how long a single step may take.
const patience = 20 * time.Second

func (c *chromium) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}
