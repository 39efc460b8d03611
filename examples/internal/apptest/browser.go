package apptest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// NewBrowser is a person with a browser of their own, on the real network.
func NewBrowser(t *testing.T) *Browser {
	return &Browser{t, providertest.NewBrowser(http.DefaultTransport)}
}

// Browser is a test browser whose errors end the test.
type Browser struct {
	t *testing.T
	*providertest.Browser
}

// SignedIn goes to a URL that leads to the sign-in page and signs in.
func (b *Browser) SignedIn(url, user string) *providertest.Page {
	b.t.Helper()
	return b.must(b.SignIn(url, user))
}

// Visit opens a URL as typed into the address bar.
func (b *Browser) Visit(url string) *providertest.Page {
	b.t.Helper()
	return b.must(b.Open(url))
}

// Click follows a link on the current page.
func (b *Browser) Click(url string) *providertest.Page {
	b.t.Helper()
	return b.must(b.Follow(url))
}

// Ask sends a request as a script of the page does. If the answer is JSON and
// into is not nil, it is decoded there.
func (b *Browser) Ask(method, url string, into any) *providertest.Page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	page := b.must(b.Fetch(req))
	if into != nil {
		if err := json.Unmarshal(page.Body, into); err != nil {
			b.t.Fatalf("%s %s answers %d, not JSON: %v", method, url, page.Status, err)
		}
	}
	return page
}

func (b *Browser) must(page *providertest.Page, err error) *providertest.Page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return page
}
