// Command replica is one process of the application of the end-to-end tests. It
// prints "ready" when it serves, and ends when its standard input closes, so
// that no test can leave it behind.
//
// A test can make it die, or stop, at an exact point of a refresh: see points.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/e2e/internal/webapp"
	"github.com/goeasyauth/easyauth/providers"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	addr, base, store string
	provider          provider
	debug             bool
}

func run() error {
	var o options
	flag.StringVar(&o.addr, "addr", "", "listen here")
	flag.StringVar(&o.base, "base-url", "", "public URL, the same for all replicas")
	flag.StringVar(&o.store, "store", "", "sqlite:FILE, redis://... or postgres://...")
	o.provider.flags(flag.CommandLine)
	flag.BoolVar(&o.debug, "v", false, "log at debug level")
	flag.Parse()

	level := slog.LevelInfo
	if o.debug {
		level = slog.LevelDebug
	}
	points := new(points)
	st, closeStore, err := openStore(context.Background(), o.store)
	if err != nil {
		return err
	}
	defer closeStore()
	oidc, err := o.provider.open(points)
	if err != nil {
		return err
	}
	keys, err := easyauth.ParseKeys(os.Getenv("REPLICA_KEYS"))
	if err != nil {
		return err
	}
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   o.base,
		Providers: []providers.Provider{oidc},
		Store:     &observedStore{st, points},
		Keys:      keys,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", auth.Wrap(webapp.Routes(auth)))
	mux.Handle("/_point", points)
	mux.HandleFunc("/_vitals", vitals)
	server := &http.Server{Handler: mux}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Shutdown(context.Background())
	}()
	fmt.Println("ready")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return auth.Close()
}
