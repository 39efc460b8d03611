// Package devprovider puts the provider of package providertest on a real port
// of this computer, so that a person's browser can sign in with it. It asks for
// no password: it is for development, and reachable from this computer only.
package devprovider

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/goeasyauth/easyauth/examples/internal/serve"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Name is the alias under which the examples know the provider.
const Name = "dev"

const apiPath = "/api"

// Provider is a running development provider. Its Server is what to upset it
// with: RevokeUser, FailFor, Mutate.
type Provider struct {
	Server *providertest.Server
	OIDC   *providers.OIDC // signs in at Server; for easyauth.Config.Providers

	stop   context.CancelFunc
	served sync.WaitGroup
}

// Start listens on the port, or on a free one if that is taken or 0, and serves
// a provider for the application at baseURL. cfg.Issuer and cfg.Clients are set
// here; the rest of cfg is the caller's. memory is the file in which it keeps
// what must survive a restart; with none it forgets.
//
// The provider takes another host name than the application: a browser sends a
// cookie to every port of a host, so the two would read each other's.
func Start(baseURL string, port int, memory string, cfg providertest.Config) (*Provider, error) {
	listener, err := listen(port)
	if err != nil {
		return nil, fmt.Errorf("devprovider: no port to listen on: %w", err)
	}
	cfg.Issuer = issuerBeside(baseURL, listener.Addr().(*net.TCPAddr).Port)
	cfg.Clients = []providertest.Registration{{
		ID:                     providertest.ClientID,
		Secret:                 providertest.ClientSecret,
		RedirectURIs:           []string{baseURL + "/.auth/login/" + Name + "/callback"},
		PostLogoutRedirectURIs: []string{baseURL + "/.auth/logout/complete"},
	}}
	oidc, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         Name,
		Issuer:       cfg.Issuer,
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
		Quirks:       providers.Quirks{OfflineWithoutConsent: true}, // one page to sign in on, not two
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := providertest.New(cfg)
	if memory != "" {
		if err := server.Remember(memory); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Provider{Server: server, OIDC: oidc, stop: stop}
	mux := http.NewServeMux()
	mux.Handle("/", p.Server)
	mux.HandleFunc("/logout", p.logout)
	mux.Handle(apiPath, p.Server.API(""))
	p.served.Go(func() { _ = serve.HTTP(ctx, listener, mux) }) // its failure shows as a provider that is down
	return p, nil
}

// APIURL is where the provider's protected resource is: an API that knows its
// callers by their access tokens.
func (p *Provider) APIURL() string { return p.Server.Issuer() + apiPath }

// Close stops the provider and waits for it.
func (p *Provider) Close() error {
	p.stop()
	p.served.Wait()
	return nil
}

// logout serves the end of a session without asking for proof of it: the ID
// token of an earlier run names another issuer where the port was another, and
// another key where that run was forgotten; it would be refused.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	query.Del("id_token_hint")
	query.Set("client_id", providertest.ClientID)
	r.URL.RawQuery = query.Encode()
	p.Server.ServeHTTP(w, r)
}

// PortBeside is the port next to that of an application at addr, so that its
// development provider is found at the same address after a restart; 0, a free
// port, next to a free one.
func PortBeside(addr string) int {
	_, port, _ := net.SplitHostPort(addr)
	n, err := strconv.Atoi(port)
	if err != nil || n == 0 || n == math.MaxUint16 {
		return 0
	}
	return n + 1
}

// listen prefers the port, because an issuer that stays the same is what
// sessions of an earlier run know.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil && port != 0 {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}
