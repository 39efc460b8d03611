package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/goeasyauth/easyauth/examples/internal/serve"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // the server broke while it ran
	exitUsage  = 2 // a bad flag, or a file or an address that cannot be used
)

// run is the program: it returns the exit status when ctx ends or the server does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	return serveQuickstart(ctx, opts, stdout, stderr)
}

// serveQuickstart opens the application and serves it.
func serveQuickstart(ctx context.Context, opts options, stdout, stderr io.Writer) int {
	level := slog.LevelInfo
	if opts.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))

	a, err := open(ctx, opts, log)
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	a.greet(stdout)
	err = errors.Join(serve.HTTP(ctx, a.listener, a.handler(), a.stop), a.Close())
	if err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// complain writes one line, also for an error that joins several.
func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "quickstart:", strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " "))
}
