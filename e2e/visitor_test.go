package e2e_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// visitor is somebody with a browser of their own, whose requests go over real
// sockets.
type visitor struct {
	*providertest.Browser
	t    testing.TB
	seen *cookieWatch
}

func newVisitor(t testing.TB) *visitor {
	return newVisitorOn(t, newTransport(t))
}

// newVisitorOn is a visitor whose requests take this way.
func newVisitorOn(t testing.TB, network http.RoundTripper) *visitor {
	seen := &cookieWatch{next: network}
	return &visitor{providertest.NewBrowser(seen), t, seen}
}

func newTransport(t testing.TB) *http.Transport {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, ResponseHeaderTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// page is an answer, with what tests compare.
type page struct {
	*providertest.Page
	Text string // the body
}

// Visit goes to a page as a person does, following redirects.
func (v *visitor) Visit(url string) page {
	v.t.Helper()
	return v.read(v.Open(url))
}

// Step goes to a page and follows no redirect.
func (v *visitor) Step(target string) page {
	v.t.Helper()
	v.StopAt = func(*url.URL) bool { return true }
	defer func() { v.StopAt = nil }()
	return v.Visit(target)
}

// Ask asks as a script of the page does.
func (v *visitor) Ask(url string) page {
	v.t.Helper()
	return v.read(v.askFor(context.Background(), url))
}

// AskFor asks and leaves when the patience is over; whether an answer came does not matter.
func (v *visitor) AskFor(patience time.Duration, url string) {
	ctx, leave := context.WithTimeout(context.Background(), patience)
	defer leave()
	v.askFor(ctx, url)
}

func (v *visitor) askFor(ctx context.Context, url string) (*providertest.Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return v.Fetch(req)
}

// SignInAt begins a login at the application, fills in the provider's forms,
// and ends where the application sends the person.
func (v *visitor) SignInAt(base, name string) page {
	v.t.Helper()
	p := v.Approve(v.Visit(base+"/.auth/login/oidc?post_login_redirect_uri=/"), name)
	if p.Status != http.StatusOK || !strings.HasPrefix(p.URL.String(), base) {
		v.t.Fatalf("the login ended with %d at %s:\n%s", p.Status, p.URL.Path, p.Text)
	}
	return p
}

// Approve fills in the provider's login and consent forms, whichever it shows.
func (v *visitor) Approve(p page, name string) page {
	v.t.Helper()
	for {
		switch {
		case strings.Contains(p.URL.Path, "/interaction/"): // oidc-provider
			p = v.Answer(p, url.Values{"login": {name}, "password": {"any"}})
		case strings.HasSuffix(p.URL.Path, "/auth/local/login"): // Dex
			p = v.Answer(p, url.Values{"login": {name + "@example.com"}, "password": {"any"}})
		default:
			return p
		}
	}
}

// Answer submits the page's first form with these fields too.
func (v *visitor) Answer(p page, fields url.Values) page {
	v.t.Helper()
	forms := p.Forms()
	if len(forms) == 0 {
		v.t.Fatalf("no form at %s (%d):\n%s", p.URL.Path, p.Status, p.Text)
	}
	for name, values := range fields {
		forms[0].Values[name] = values
	}
	return v.read(v.Submit(forms[0]))
}

// Rob takes the cookies that somebody else's browser has for base.
func (v *visitor) Rob(other *visitor, base string) {
	for _, c := range other.Cookies(base) {
		v.SetCookie(base, &http.Cookie{Name: c.Name, Value: c.Value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

// read makes a failure an error with an answer of status 0, and not the test's
// end, because visitors act in many goroutines at once.
func (v *visitor) read(p *providertest.Page, err error) page {
	v.t.Helper()
	if err != nil {
		v.t.Error(err)
		p = &providertest.Page{URL: new(url.URL)}
	}
	return page{p, string(p.Body)}
}

// cookieWatch remembers every cookie value that a server set.
type cookieWatch struct {
	next   http.RoundTripper
	mu     sync.Mutex
	values []string
}

func (c *cookieWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, cookie := range resp.Cookies() {
			c.values = append(c.values, cookie.Value)
		}
	}
	return resp, err
}

// Note adds a secret that came in another way.
func (c *cookieWatch) Note(secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values = append(c.values, secret)
}

// Values are all of them, of whatever host.
func (c *cookieWatch) Values() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.values)
}
