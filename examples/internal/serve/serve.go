// Package serve runs an HTTP server until it is told to stop.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// patience is how long requests that are running at the end may take.
const patience = 5 * time.Second

// HTTP answers on l until ctx ends, then lets running requests finish and
// returns nil. Each of stopping is called when the end begins, so that streams
// can leave. An error means that the server failed or had to be cut off.
func HTTP(ctx context.Context, l net.Listener, h http.Handler, stopping ...func()) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second, // streams set their own
		IdleTimeout:       2 * time.Minute,
	}
	for _, f := range stopping {
		server.RegisterOnShutdown(f)
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	left, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := server.Shutdown(left); err != nil {
		return fmt.Errorf("serve: requests were cut off: %w", errors.Join(err, server.Close()))
	}
	return nil
}
