// Package demo carries the small examples: it starts the development provider
// beside them, opens their store, and serves what they mount.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/keysfile"
	"github.com/goeasyauth/easyauth/examples/internal/openstore"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/store"
)

// Ground is what an example stands on.
type Ground struct {
	Base  string                // the application's URL
	Dev   *devprovider.Provider // to sign in at
	Store store.Store
	Keys  []providers.Secret
}

// Mount is an example: it makes the application, and says how to close it.
type Mount func(Ground) (app http.Handler, stop func() error, err error)

// Main serves the example at 127.0.0.1:8080, or at the address that is the
// program's only argument, until it is interrupted.
func Main(mount Mount) {
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	where := openstore.Spec{Store: "memory"}
	where.Flags(flag.CommandLine, "")
	flag.Parse()
	addr := "127.0.0.1:8080"
	if flag.NArg() > 0 {
		addr = flag.Arg(0)
	}
	if err := Run(ctx, addr, where, os.Stdout, mount); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run serves the example at addr until ctx ends, and prints where it is.
func Run(ctx context.Context, addr string, where openstore.Spec, stdout io.Writer, mount Mount) error {
	st, opened, err := openstore.Open(ctx, where)
	if err != nil {
		return err
	}
	defer opened.Close()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	keys, memory, err := keepsakes(where, listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	base := "http://" + listener.Addr().String()
	dev, err := devprovider.Start(base, devprovider.PortBeside(addr), memory, providertest.Config{})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer dev.Close()
	app, stop, err := mount(Ground{base, dev, st, keys})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Fprintf(stdout, "Open %s\n", base)
	return errors.Join(serve.HTTP(ctx, listener, app), stop())
}

// keepsakes are the sealing keys, and the file in which the development
// provider remembers its grants: both live as long as the sessions in the store.
func keepsakes(where openstore.Spec, port int) (keys []providers.Secret, memory string, err error) {
	if !where.Lasting() {
		return []providers.Secret{easyauth.NewKey()}, "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join(cache, "easyauth-examples")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	keys, _, err = keysfile.Open(filepath.Join(dir, "keys"))
	return keys, filepath.Join(dir, fmt.Sprintf("devprovider-%d", port)), err
}
