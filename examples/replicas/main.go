// Replicas shows one application in three processes that share a Redis, under
// load, while one after the other is killed and started again.
//
//	go run ./examples/replicas
//
// Its users' access tokens live for three seconds. Again and again each user
// comes back after that with twenty requests at once, spread over all replicas:
// one of them renews the token, the others wait for it. The provider rotates its
// refresh tokens and ends a login whose token comes back a second time, so
// every refresh too many would be seen as a sign-out in the table.
//
// It needs a Redis: the one at -redis, one at the usual address, or the program
// redis-server, which it starts for itself.
//
// Reading order: replica.go is the application, fleet.go its three processes,
// balancer.go what stands in front of them, load.go the users, table.go what
// is printed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // something broke, or a user was signed out without a reason
	exitUsage  = 2
)

// options are the command line, read and checked.
type options struct {
	redis    string // URL; empty: find one or start one
	users    int
	storm    int
	rotation providertest.Rotation
	calm     bool
	lasting  time.Duration
	replica  replicaOptions // set in the processes that the fleet starts
}

// rotations are the values of -rotation.
var rotations = map[string]providertest.Rotation{
	"strict": providertest.Strict, "graced": providertest.Graced, "reusable": providertest.Reusable,
}

func parse(args []string, help io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("replicas", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.redis, "redis", "", "`URL` of the Redis to use (default redis://127.0.0.1:6379 if it answers, else one of its own)")
	flags.IntVar(&o.users, "users", 30, "how many people are signed in")
	flags.IntVar(&o.storm, "storm", 20, "how many requests each of them sends at once")
	flags.DurationVar(&o.lasting, "for", time.Minute, "how long it lasts; 0 is until it is interrupted")
	flags.BoolVar(&o.calm, "calm", false, "kill nobody")
	rotation := flags.String("rotation", "strict", "what the provider does with a used refresh token: strict, graced or reusable")
	o.replica.register(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(help, "Replicas runs one application in three processes on one Redis, under load. Flags, all optional:")
			flags.SetOutput(help)
			flags.VisitAll(func(f *flag.Flag) {
				if f.Usage != internal {
					name, usage := flag.UnquoteUsage(f)
					fmt.Fprintf(help, "  -%s %s\n    \t%s\n", f.Name, name, usage)
				}
			})
		}
		return o, err
	}
	var known bool
	o.rotation, known = rotations[*rotation]
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: replicas takes flags only", flags.Arg(0))
	case !known:
		return o, fmt.Errorf("-rotation %q: use strict, graced or reusable", *rotation)
	case o.users < 1 || o.storm < 1:
		return o, errors.New("-users and -storm must be at least 1")
	case o.lasting < 0:
		return o, errors.New("-for cannot be negative; 0 lasts until it is interrupted")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, "replicas:", err)
		return exitUsage
	}
	act := conduct
	if o.replica.addr != "" {
		act = serveReplica
	}
	if err := act(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "replicas:", err)
		return exitFailed
	}
	return exitOK
}
