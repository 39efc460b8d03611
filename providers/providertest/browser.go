package providertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Browser does what a browser does between a person, an application and a
// provider: it follows redirects, keeps cookies and honours their SameSite,
// Secure and __Host- rules, sends the headers that tell a navigation from a
// script (Sec-Fetch-*, Accept, Origin), and submits the forms it is shown. It
// runs no scripts, except that it submits a page that does nothing but submit
// itself, as response_mode=form_post does.
//
// Every Browser has its own cookies. It is safe for concurrent use: one
// navigation follows the other, while any number of Fetches go on.
type Browser struct {
	// StopAt, if set, is asked before every request that a navigation makes by
	// itself: the next redirect, or a form that submits itself. If it says yes
	// the navigation ends on the page it is at, as if the person had closed
	// the tab. Set it before the navigation.
	StopAt func(next *url.URL) bool

	network http.RoundTripper
	cookies cookieJar

	navigating sync.Mutex
	mu         sync.Mutex
	page       *Page // where the person is; nil at first
}

// NewBrowser returns a browser without cookies that reaches hosts through
// network; http.DefaultTransport makes it one of the real world.
func NewBrowser(network http.RoundTripper) *Browser {
	return &Browser{network: network, cookies: newCookieJar()}
}

// SignIn opens a URL that leads to a sign-in page of this package, signs in as
// user, agrees to what is asked, and returns the page that this ends on. Where
// the provider already knows the person it may have nothing to ask.
func (b *Browser) SignIn(rawURL, user string) (*Page, error) {
	p, err := b.Open(rawURL)
	for range 3 { // a sign-in, a consent, and one that was turned down
		if err != nil {
			return nil, err
		}
		form, ok := p.signInForm()
		if !ok {
			return p, nil
		}
		if form.Values.Has("user") {
			form.Values.Set("user", user)
		}
		form.Values.Set("action", "allow")
		p, err = b.Submit(form)
	}
	return p, err
}

// Open goes to a URL as typed into the address bar.
func (b *Browser) Open(rawURL string) (*Page, error) {
	return b.navigate(http.MethodGet, rawURL, nil, true)
}

// Follow goes to a URL as a link on the current page does. It may be relative.
func (b *Browser) Follow(rawURL string) (*Page, error) {
	return b.navigate(http.MethodGet, rawURL, nil, false)
}

// Submit sends a form of the current page.
func (b *Browser) Submit(f Form) (*Page, error) {
	if f.Method == http.MethodPost {
		return b.navigate(http.MethodPost, f.Action, []byte(f.Values.Encode()), false)
	}
	target, _, _ := strings.Cut(f.Action, "?")
	return b.navigate(http.MethodGet, target+"?"+f.Values.Encode(), nil, false)
}

// Fetch sends a request as a script of the current page does, with cookies
// (fetch with credentials: "include"), and does not leave the page; before the
// first navigation it counts as one of the target's own pages. Headers that r
// already has are kept, redirects are followed, and CORS is not enforced: the
// answer of another origin can be read.
func (b *Browser) Fetch(r *http.Request) (*Page, error) {
	at := b.Page()
	target := r.URL
	if at == nil {
		at = &Page{URL: target}
	}
	target = at.URL.ResolveReference(target)
	c := chain{browser: b, ctx: r.Context(), from: at, header: r.Header.Clone()}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	return c.run(method, target, body)
}

// Page is the page that the browser shows, or nil before the first navigation.
func (b *Browser) Page() *Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.page
}

// Cookies returns the cookies that the browser would send to a URL of its own
// site.
func (b *Browser) Cookies(rawURL string) []*http.Cookie {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil
	}
	return b.cookies.Cookies(u)
}

// SetCookie stores a cookie as if the URL had set it; one that a browser
// rejects is not stored.
func (b *Browser) SetCookie(rawURL string, c *http.Cookie) {
	if u, err := url.Parse(rawURL); err == nil {
		b.cookies.store(u, []*http.Cookie{c})
	}
}

// ClearCookies forgets all cookies.
func (b *Browser) ClearCookies() { b.cookies.clear() }

func (b *Browser) navigate(method, rawURL string, body []byte, typed bool) (*Page, error) {
	b.navigating.Lock()
	defer b.navigating.Unlock()
	target, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("providertest: browser: %w", err)
	}
	c := chain{browser: b, ctx: context.Background(), navigation: true}
	if at := b.Page(); at != nil {
		target = at.URL.ResolveReference(target)
		if !typed {
			c.from = at
		}
	}
	for range maxRedirects {
		p, err := c.run(method, target, body)
		if err != nil {
			return nil, err
		}
		b.show(p)
		form, ok := p.autoSubmit()
		if !ok {
			return p, nil
		}
		if target, err = url.Parse(form.Action); err != nil || b.stops(target) {
			return p, err
		}
		method, body = http.MethodPost, []byte(form.Values.Encode())
		c = chain{browser: b, ctx: c.ctx, navigation: true, scripted: true, from: p, hops: p.Hops}
	}
	return nil, errTooMany
}

func (b *Browser) show(p *Page) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page = p
}

func (b *Browser) stops(next *url.URL) bool { return b.StopAt != nil && b.StopAt(next) }
