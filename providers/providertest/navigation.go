package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is where browsers give up, too.
const maxRedirects = 20

var errTooMany = errors.New("providertest: browser: too many redirects")

// chain is one request with the redirects that follow from it.
type chain struct {
	browser    *Browser
	ctx        context.Context
	navigation bool
	scripted   bool  // a navigation that no click began
	from       *Page // where it began; nil: the address bar
	header     http.Header
	hops       []Hop
	seen       []*url.URL // every URL so far
}

func (c *chain) run(method string, target *url.URL, body []byte) (*Page, error) {
	for range maxRedirects {
		p, err := c.send(method, target, body)
		if err != nil {
			return nil, err
		}
		location := p.Header.Get("Location")
		if p.Status < 300 || p.Status > 308 || location == "" || p.Status == http.StatusNotModified {
			return p, nil
		}
		next, err := target.Parse(location)
		if err != nil {
			return nil, fmt.Errorf("providertest: browser: Location: %w", err)
		}
		if c.navigation && c.browser.stops(next) {
			return p, nil
		}
		if next.Fragment == "" {
			next.Fragment = target.Fragment
		}
		target = next
		if p.Status == http.StatusSeeOther && method != http.MethodHead || p.Status < 303 && method == http.MethodPost {
			method, body = http.MethodGet, nil
		}
	}
	return nil, errTooMany
}

func (c *chain) send(method string, target *url.URL, body []byte) (*Page, error) {
	c.seen = append(c.seen, target)
	wire := *target
	wire.Fragment = ""
	r, err := http.NewRequestWithContext(c.ctx, method, wire.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("providertest: browser: %w", err)
	}
	c.dress(r, body)
	for _, cookie := range c.browser.cookies.sent(&wire, c.site() != "cross-site", c.navigation && safe(method)) {
		r.AddCookie(cookie)
	}
	resp, err := c.browser.network.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	c.browser.cookies.store(&wire, resp.Cookies())
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	c.hops = append(c.hops, Hop{Method: method, URL: &wire, Sent: r.Header, Status: resp.StatusCode, Header: resp.Header})
	return &Page{URL: target, Status: resp.StatusCode, Header: resp.Header, Body: text, Hops: c.hops}, nil
}

// dress gives r the headers that a browser adds.
func (c *chain) dress(r *http.Request, body []byte) {
	set := func(name, value string) {
		if c.header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	set("User-Agent", "Mozilla/5.0 (compatible; providertest)")
	set("Accept-Language", "en")
	if c.navigation {
		set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
		set("Upgrade-Insecure-Requests", "1")
		if len(body) > 0 {
			set("Content-Type", "application/x-www-form-urlencoded")
		}
	} else {
		set("Accept", "*/*")
	}
	if trustworthy(r.URL) {
		set("Sec-Fetch-Site", c.site())
		if c.navigation {
			set("Sec-Fetch-Mode", "navigate")
			set("Sec-Fetch-Dest", "document")
			if !c.scripted {
				set("Sec-Fetch-User", "?1")
			}
		} else {
			set("Sec-Fetch-Mode", "cors")
			set("Sec-Fetch-Dest", "empty")
		}
	}
	if referer := c.referer(r.URL); referer != "" {
		set("Referer", referer)
	}
	if c.from != nil && (!safe(r.Method) || !c.navigation && c.site() != "same-origin") {
		set("Origin", c.origin())
	}
}

// site is Sec-Fetch-Site: how far the farthest URL of the chain is from the
// page that began it.
func (c *chain) site() string {
	if c.from == nil {
		return "none"
	}
	site := "same-origin"
	for _, u := range c.seen {
		switch {
		case !sameSite(u, c.from.URL):
			return "cross-site"
		case !sameOrigin(u, c.from.URL):
			site = "same-site"
		}
	}
	return site
}

// origin is the Origin header: null for a form on a page that hides where it is
// (Fetch, section 3.2), and once a chain has left an origin that was not its
// own and went on to another.
func (c *chain) origin() string {
	if c.navigation && c.from.secretive() {
		return "null"
	}
	for i, u := range c.seen[1:] {
		if before := c.seen[i]; !sameOrigin(u, before) && !sameOrigin(before, c.from.URL) {
			return "null"
		}
	}
	return c.from.URL.Scheme + "://" + c.from.URL.Host
}

// referer is what the page tells about itself: nothing under the policy
// no-referrer, and else what browsers tell by default, the whole URL to its own
// origin and the origin to others (strict-origin-when-cross-origin).
func (c *chain) referer(target *url.URL) string {
	if c.from == nil || c.from.secretive() || c.from.URL.Scheme == "https" && target.Scheme != "https" {
		return ""
	}
	if c.site() != "same-origin" {
		return c.from.URL.Scheme + "://" + c.from.URL.Host + "/"
	}
	whole := *c.from.URL
	whole.Fragment, whole.User = "", nil
	return whole.String()
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && hostOf(a) == hostOf(b) }

// sameSite compares the registrable domains; hosts in tests have none deeper
// than two labels.
func sameSite(a, b *url.URL) bool { return a.Scheme == b.Scheme && domainOf(a) == domainOf(b) }

func domainOf(u *url.URL) string {
	host := u.Hostname()
	if strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ":") {
		return host // an address is a site of its own
	}
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// trustworthy reports whether u gets Sec-Fetch headers: https, or this machine.
func trustworthy(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1"
}
