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
	"strings"
	"sync"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/keysfile"
	"github.com/goeasyauth/easyauth/examples/internal/onehost"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
)

// app is the running application.
type app struct {
	options
	log      *slog.Logger
	listener net.Listener
	base     string // public URL
	newKeys  bool   // the keys file was made just now

	auth *easyauth.Auth
	feed *feed
	dev  *devprovider.Provider // nil: a real provider signs in

	stop     func() // ends the streams
	stopping <-chan struct{}
	closers  serve.Closers
}

// open opens everything that the options name, or nothing: on an error, what
// was opened is closed again.
func open(ctx context.Context, opts options, log *slog.Logger) (_ *app, err error) {
	stopping := make(chan struct{})
	a := &app{options: opts, log: log, feed: newFeed(),
		stop: sync.OnceFunc(func() { close(stopping) }), stopping: stopping}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()

	if a.listener, err = net.Listen("tcp", opts.addr); err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	a.closers = append(a.closers, a.listener)
	a.base = cmp.Or(strings.TrimSuffix(opts.baseURL, "/"), onehost.URL(opts.addr, a.listener.Addr()))

	keys, made, err := keysfile.Open(opts.keysFile)
	if err != nil {
		return nil, fmt.Errorf("-keys: %w", err)
	}
	a.newKeys = made
	store, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	provider, err := a.openProvider()
	if err != nil {
		return nil, err
	}
	return a, a.mount(provider, store, keys)
}

// Close closes what was opened, the last first.
func (a *app) Close() error {
	return a.closers.Close()
}

// handler is the whole application: the routes, with easyauth around them.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.page)
	mux.Handle("GET /app.css", assets())
	mux.Handle("GET /app.js", assets())
	mux.Handle("GET /favicon.svg", assets())
	mux.HandleFunc("GET /api/whoami", a.whoami)
	mux.HandleFunc("GET /api/token", a.token)
	mux.Handle("GET /events", a.auth.Require(http.HandlerFunc(a.events)))
	if a.dev != nil {
		mux.Handle("POST /dev/revoke", a.auth.Require(http.HandlerFunc(a.revoke)))
		mux.Handle("POST /dev/fail", a.auth.Require(http.HandlerFunc(a.fail)))
	}
	own := hardened(http.NewCrossOriginProtection().Handler(mux))
	return onehost.Handler(a.base, a.auth.Wrap(own))
}

// greet prints where everything is.
func (a *app) greet(w io.Writer) {
	fmt.Fprintf(w, "Open      %s\n", a.base)
	fmt.Fprintf(w, "Provider  %s (%s)\n", a.issuerURL(), a.providerName())
	fmt.Fprintf(w, "Sessions  %s\n", a.store)
	keys := a.keysFile
	if a.newKeys {
		keys += " (new)"
	}
	fmt.Fprintf(w, "Keys      %s\n", keys)
	fmt.Fprintf(w, "Stop      Ctrl+C\n")
}
