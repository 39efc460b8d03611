// Package demo carries the small examples: it starts the development provider
// beside them and serves what they mount.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Mount is an example: it makes the application at base, with dev to sign in
// at, and says how to close it.
type Mount func(base string, dev *devprovider.Provider) (app http.Handler, stop func() error, err error)

// Main serves the example at 127.0.0.1:8080, or at the address that is the
// program's only argument, until it is interrupted.
func Main(mount Mount) {
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	addr := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	if err := Run(ctx, addr, os.Stdout, mount); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run serves the example at addr until ctx ends, and prints where it is.
func Run(ctx context.Context, addr string, stdout io.Writer, mount Mount) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	dev, err := devprovider.Start(base, 0, "", providertest.Config{})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer dev.Close()
	app, stop, err := mount(base, dev)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Fprintf(stdout, "Open %s\n", base)
	return errors.Join(serve.HTTP(ctx, listener, app), stop())
}
