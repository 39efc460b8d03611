// Package devprovider puts the provider of package providertest on a real port
// of this computer, so that a person's browser can sign in with it. It asks for
// no password: it is for development, and reachable from this computer only.
package devprovider

import (
	"cmp"
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
	OIDC   *providers.OIDC      // signs in at Server, under the first name that is of OpenID Connect
	All    []providers.Provider // one for each name; for easyauth.Config.Providers

	ctx    context.Context
	stop   context.CancelFunc
	served sync.WaitGroup
}

// Start runs the provider under the name Name for the application at baseURL;
// see Setup for the rest.
func Start(baseURL string, port int, memory string, cfg providertest.Config) (*Provider, error) {
	return Setup{BaseURL: baseURL, Port: port, Memory: memory, Server: cfg}.Start()
}

// Setup is what a development provider needs to know.
type Setup struct {
	BaseURL string   // of the application, without a path
	Prefix  string   // of its routes; default /.auth
	Names   []string // under which it signs people in; default Name
	Port    int      // to listen on, and the next ones; free ones for those that are taken, or if it is 0
	Memory  string   // the file in which it keeps what must survive a restart; with none it forgets

	// Server is how it behaves. Issuer and Clients are set here.
	Server providertest.Config
}

// Start listens, and serves a provider until Close.
//
// The provider takes another host name than the application: a browser sends a
// cookie to every port of a host, so the two would read each other's.
func (s Setup) Start() (_ *Provider, err error) {
	p := new(Provider)
	p.ctx, p.stop = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	listener, err := listen(s.Port)
	if err != nil {
		return nil, fmt.Errorf("devprovider: no port to listen on: %w", err)
	}
	cfg := s.Server
	cfg.Issuer = addressBeside(s.BaseURL, listener)
	cfg.Clients = nil
	names := s.Names
	if len(names) == 0 {
		names = []string{Name}
	}
	for _, name := range names {
		cfg.Clients = append(cfg.Clients, registration(name, s.BaseURL+cmp.Or(s.Prefix, "/.auth")))
	}
	p.Server = providertest.New(cfg)
	p.Server.Mutate(providertest.Mutations{IDToken: dress})
	mux := http.NewServeMux()
	mux.Handle("/", p.Server)
	mux.HandleFunc("/logout", p.logout)
	mux.Handle(apiPath, p.Server.API(""))
	p.serve(listener, mux)
	if s.Memory != "" {
		if err := p.Server.Remember(s.Memory); err != nil {
			return nil, err
		}
	}
	if err := p.add(s, names); err != nil {
		return nil, err
	}
	return p, nil
}

// add makes a provider of each name.
func (p *Provider) add(s Setup, names []string) error {
	for _, name := range names {
		if isSocial(name) {
			if s.Port != 0 {
				s.Port++
			}
			if err := p.addSocial(name, s); err != nil {
				return err
			}
			continue
		}
		oidc, err := providers.NewOIDC(configuration(name, p.Server.Issuer()))
		if err != nil {
			return err
		}
		p.OIDC = cmp.Or(p.OIDC, oidc)
		p.All = append(p.All, oidc)
	}
	return nil
}

func (p *Provider) serve(l net.Listener, h http.Handler) {
	p.served.Go(func() { _ = serve.HTTP(p.ctx, l, h) }) // its failure shows as a provider that is down
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
	query.Del("id_token_hint") // who asks is in client_id
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
