// Quickstart shows what easyauth does: it signs a person in, keeps the session,
// and keeps the provider's tokens fresh while the person watches.
//
//	go run ./examples/quickstart
//
// Without flags it brings its own identity provider, keeps sessions in a SQLite
// file and prints the address to open. With -issuer, -client-id and
// -client-secret it signs in with a real provider instead; with -store it keeps
// its sessions on Redis or Postgres, where any number of quickstarts with the
// same -keys and -base-url share them.
//
// Reading order: auth.go mounts the library, api.go and page.go are ordinary
// handlers that read the request context, feed.go and stream.go show the
// refreshes as they happen, controls.go are the buttons that upset the
// development provider.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
