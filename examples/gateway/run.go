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
	level := slog.LevelInfo
	if opts.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))

	g, err := open(ctx, opts, log)
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	g.greet(stdout)
	if err := errors.Join(serve.HTTP(ctx, g.listener, g.handler(), g.leave), g.Close()); err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// complain writes each mistake on a line of its own; there may be many in one
// auth.json.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, "gateway:", strings.TrimSpace(line))
	}
}

// oneLine is a mistake that is one, however many errors tell of it.
func oneLine(err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
}
