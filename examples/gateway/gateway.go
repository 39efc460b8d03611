package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/onehost"
	"github.com/goeasyauth/easyauth/examples/internal/openstore"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
)

// politeness is how long requests may go on once the gateway is told to stop.
const politeness = 3 * time.Second

// gateway is the running program.
type gateway struct {
	options
	log      *slog.Logger
	listener net.Listener
	base     string // public URL

	auth  *easyauth.Auth
	names []string              // of the providers
	idp   *devprovider.Provider // nil: real providers sign people in
	app   http.Handler          // the application, by way of the proxy

	over    context.Context // ends when what still runs is cut off
	cutOff  context.CancelFunc
	closers serve.Closers
}

// open opens everything that the options name, or nothing: on an error, what
// was opened is closed again.
func open(ctx context.Context, opts options, log *slog.Logger) (_ *gateway, err error) {
	g := &gateway{options: opts, log: log}
	g.over, g.cutOff = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	cfg, err := opts.settings()
	if err != nil {
		return nil, err
	}
	if g.listener, err = net.Listen("tcp", opts.addr); err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	g.closers = append(g.closers, g.listener)
	if opts.upstream.Host == g.listener.Addr().String() {
		return nil, fmt.Errorf("-upstream %s is the gateway itself: the application listens elsewhere", opts.upstream)
	}
	g.base = cmp.Or(strings.TrimSuffix(opts.baseURL, "/"), cfg.BaseURL, onehost.URL(opts.addr, g.listener.Addr()))
	return g, g.mount(ctx, cfg)
}

// mount puts easyauth in front of the application.
func (g *gateway) mount(ctx context.Context, cfg easyauth.Config) error {
	public, err := url.Parse(g.base)
	if err != nil {
		return errors.New("-base-url is not a URL, such as https://app.example")
	}
	cfg.BaseURL, cfg.Logger = g.base, g.log
	if g.dev {
		if err := g.develop(&cfg); err != nil {
			return err
		}
	}
	if err := g.place(&cfg); err != nil {
		return err
	}
	if cfg.Keys, err = g.openKeys(encryption); err != nil {
		return err
	}
	if cfg.SigningKeys, err = g.openKeys(signing); err != nil {
		return err
	}
	st, opened, err := openstore.Open(ctx, g.store)
	if err != nil {
		return oneLine(err)
	}
	g.closers = append(g.closers, opened)
	cfg.Store = st
	if g.auth, err = easyauth.New(cfg); err != nil {
		return err
	}
	g.closers = append(g.closers, g.auth)
	for _, p := range cfg.Providers {
		g.names = append(g.names, p.Name())
	}
	g.app = leaving(g.over, passOn{g.upstream, public, g.proxies, g.log}.handler())
	return nil
}

// handler is the whole gateway.
func (g *gateway) handler() http.Handler {
	whole := onehost.Handler(g.base, g.auth.Wrap(g.app))
	if g.dev {
		return hereOnly(whole)
	}
	return whole
}

// leave gives requests that run a little time to end by themselves. Streams do
// not, so then all of them are cut off.
func (g *gateway) leave() { time.AfterFunc(politeness, g.cutOff) }

// Close closes what was opened, the last first.
func (g *gateway) Close() error {
	g.cutOff()
	return g.closers.Close()
}

// greet prints where everything is.
func (g *gateway) greet(w io.Writer) {
	fmt.Fprintf(w, "Open      %s\n", g.base)
	fmt.Fprintf(w, "Upstream  %s\n", g.upstream)
	providers := strings.Join(g.names, ", ")
	if g.idp != nil {
		providers += " (all of them the development provider at " + g.idp.Server.Issuer() + ")"
	}
	fmt.Fprintf(w, "Providers %s\n", providers)
	fmt.Fprintf(w, "Sessions  %s\n", g.store)
	fmt.Fprintf(w, "Stop      Ctrl+C\n")
}
