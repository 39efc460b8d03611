package azureclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

// tab is a window of a real browser.
type tab struct {
	t   testing.TB
	ctx context.Context
}

// startChromium starts a browser with an empty profile that trusts the
// certificate, blocks windows that nobody asked for, and has one tab. Scripts
// that break there, and whatever a Content-Security-Policy stops, are errors.
func startChromium(t testing.TB, cert certificate, more ...chromedp.ExecAllocatorOption) tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(parts.Chromium.Need(t)),
		chromedp.NoSandbox, // which does not work for root, and the pages are ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-popup-blocking", false),
		chromedp.Flag("ignore-certificate-errors-spki-list", cert.SPKI),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), // it would look for the vendor's hosts
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
		chromedp.Flag("lang", "en"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(stop)
	return newTab(t, alloc)
}

// newTab is a tab of the browser of parent.
func newTab(t testing.TB, parent context.Context, options ...chromedp.ContextOption) tab {
	ctx, closeTab := chromedp.NewContext(parent, options...)
	var listening sync.WaitGroup
	messages := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || strings.Contains(m.Text, "Content Security Policy") {
				t.Errorf("in the browser's console: %s", m)
			}
		}
	})
	t.Cleanup(func() { closeTab(); listening.Wait() })
	return tab{t, ctx}
}

// Visit types a URL into the address bar.
func (b tab) Visit(url string) {
	b.t.Helper()
	b.do("visit "+url, chromedp.Navigate(url))
}

// Popup clicks, and returns the window that opens.
func (b tab) Popup(selector string) tab {
	b.t.Helper()
	opened := chromedp.WaitNewTarget(b.ctx, func(*target.Info) bool { return true })
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	select {
	case id := <-opened:
		return newTab(b.t, b.ctx, chromedp.WithTargetID(id))
	case <-ctx.Done():
		b.t.Fatal("no window opened")
		return tab{}
	}
}

// SignIn fills in the provider's page and presses the button of that value.
func (b tab) SignIn(user, button string) {
	b.t.Helper()
	b.do("sign in", chromedp.WaitVisible(chromedp.CSS("#user")), chromedp.SendKeys(chromedp.CSS("#user"), user),
		chromedp.Click(chromedp.CSS("button[value="+button+"]"), chromedp.NodeVisible))
}

// Close closes the window as a person does.
func (b tab) Close() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		b.t.Errorf("close the window: %v", err)
	}
}

// Outcome waits for what the page shows of a sign-in.
func (b tab) Outcome() (o outcome) {
	b.t.Helper()
	text := await[string](b, "document.querySelector('#outcome').textContent")
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		b.t.Fatalf("%v: %s", err, text)
	}
	return o
}

// Client is the page's client.
func (b tab) Client(s *service) *client {
	return &client{b.t, s, func(call string, args []any) (o outcome) {
		b.t.Helper()
		request, err := json.Marshal(map[string]any{"call": call, "args": args})
		if err != nil {
			b.t.Fatal(err)
		}
		text := evaluate[string](b, fmt.Sprintf("perform(%s).then(JSON.stringify)", request))
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			b.t.Fatalf("%v: %s", err, text)
		}
		return o
	}}
}

// await waits until an expression of the page is something, and returns it. The
// page may still be on its way to another one.
func await[T comparable](b tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		var nothing T
		value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
		if err == nil && value != nothing {
			return value
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("wait for %s: %v", expression, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// evaluate runs a script in the page, and waits for what it promises.
func evaluate[T any](b tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

func (b tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}
