package azureclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"testing"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// person signs in with the browser of a device, which knows the service's
// certificate and opens the application for addresses of its scheme.
type person struct {
	*providertest.Browser
	t testing.TB
}

func (s *service) Person(t testing.TB) person {
	b := providertest.NewBrowser(s.network(t))
	b.StopAt = func(next *url.URL) bool { return next.Scheme != "http" && next.Scheme != "https" }
	return person{b, t}
}

// network reaches the service as programs do.
func (s *service) network(t testing.TB) *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(s.cert.Leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// SignIn begins at the service, signs in as user, and returns the address that
// this ends at: the last redirect, be it to a page or to an application.
func (p person) SignIn(at, user string) string {
	p.t.Helper()
	return p.end(p.Browser.SignIn(at, user))
}

// Decline begins at the service and cancels at the provider.
func (p person) Decline(at string) string {
	p.t.Helper()
	shown, err := p.Open(at)
	if err != nil || len(shown.Forms()) == 0 {
		p.t.Fatalf("no page to sign in on: %v", err)
	}
	form := shown.Forms()[0]
	form.Values.Set("action", "deny")
	return p.end(p.Submit(form))
}

func (p person) end(shown *providertest.Page, err error) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	for i := len(shown.Hops) - 1; i >= 0; i-- {
		if to := shown.Hops[i].Header.Get("Location"); to != "" {
			return to
		}
	}
	p.t.Fatalf("no redirect led to %s (%d):\n%s", shown.URL, shown.Status, shown.Body)
	return ""
}
