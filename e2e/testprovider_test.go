package e2e_test

import (
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// testProvider is the provider of package providertest on a real port of this
// process, behind a proxy that can break its connections.
type testProvider struct {
	*providertest.Server
	link  *testserver.Proxy
	flaws atomic.Int64 // of a thousand token requests, how many go wrong
}

func startTestProvider(t testing.TB, cfg providertest.Config) *testProvider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &testProvider{link: testserver.NewProxy(t, listener.Addr().String())}
	_, port, _ := net.SplitHostPort(p.link.Addr())
	cfg.Issuer = "http://localhost:" + port // another host than the application's: cookies ignore ports
	cfg.AlwaysRefresh = true
	p.Server = providertest.New(cfg)
	server := &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return p
}

// serve lets a token request go wrong, if it is its turn, in one of the ways
// that end somewhere between "not processed" and "processed, and nobody knows".
func (p *testProvider) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" && rand.N[int64](1000) < p.flaws.Load() {
		faults := []providertest.Fault{
			{Times: 1, Status: http.StatusServiceUnavailable, OAuthError: "temporarily_unavailable"},
			{Times: 1, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}},
			{Times: 1, Status: http.StatusBadGateway, Body: "<html>"},
			{Times: 1, Cut: true},
			{Times: 1, Process: true, Cut: true},
		}
		p.Fail(providertest.Token, faults[rand.N(len(faults))])
	}
	p.Server.ServeHTTP(w, r)
}

// flags implement idp.
func (p *testProvider) flags() []string {
	return []string{"-issuer", p.Issuer(), "-client-id", providertest.ClientID, "-client-secret", providertest.ClientSecret}
}

func (p *testProvider) atOnce() int { return 8 }

func (p *testProvider) signIn(v *visitor, at, name string) page { return v.read(v.SignIn(at, name)) }
