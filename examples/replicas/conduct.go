package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/examples/internal/serve"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

const (
	latency   = 200 * time.Millisecond // of the provider's token endpoint
	killPause = 7 * time.Second
	downTime  = 2 * time.Second
	rowEvery  = 2 * time.Second
)

// conduct starts Redis, the provider, the replicas and the users, and prints
// what becomes of them.
func conduct(ctx context.Context, o options, stdout io.Writer) error {
	redis, stopRedis, err := findRedis(ctx, o.redis)
	if err != nil {
		return err
	}
	defer stopRedis()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	base := "http://" + front.Addr().String()
	op, err := devprovider.Start(base, 0, "", providertest.Config{
		AccessTokenLifetime: accessLifetime, Rotation: o.rotation, GraceWindow: graceWindow,
	})
	if err != nil {
		return errors.Join(err, front.Close())
	}
	defer op.Close()
	op.Server.Fail(providertest.Token, providertest.Fault{Delay: latency})

	replicas, err := launch(
		[]string{"-base", base, "-issuer", op.Server.Issuer(), "-redis", redis, "-rotation", nameOf(o.rotation)},
		[]string{keysVariable + "=" + easyauth.NewKey().Reveal()})
	if err != nil {
		return errors.Join(err, front.Close())
	}
	defer replicas.stop()
	fmt.Fprintf(stdout, "%d users of %d replicas at %s, %d requests each at a time; %s refresh tokens, answered after %s\n\n",
		o.users, replicaCount, base, o.storm, nameOf(o.rotation), latency)

	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	go serve.HTTP(serving, front, balancer(replicas)) // a front that fails shows as users who cannot sign in

	users, err := watch(ctx, o, base, replicas, op.Server, stdout)
	if err != nil {
		return err
	}
	return conclude(stdout, o, users, op.Server.Stats())
}

// watch lets the users live for as long as it should last, and prints a row
// every now and then.
func watch(ctx context.Context, o options, base string, replicas *fleet, op *providertest.Server, stdout io.Writer) (counts, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.lasting > 0 {
		timer := time.AfterFunc(o.lasting, func() { cancel(nil) })
		defer timer.Stop()
	}
	users, rows := new(tally), &table{out: stdout, began: time.Now()}
	var living sync.WaitGroup
	for i := range o.users {
		u := &user{fmt.Sprintf("user%d", i+1), base, providertest.NewBrowser(transport), users}
		living.Go(func() {
			if err := u.live(ctx, o.storm); err != nil {
				cancel(err)
			}
		})
	}
	if !o.calm {
		living.Go(func() {
			killed := func(i int) { rows.say("        replica %d killed\n", i+1) }
			if err := replicas.killEvery(ctx, killPause, downTime, killed); err != nil {
				cancel(err)
			}
		})
	}
	for sleep(ctx, rowEvery) {
		rows.row(replicas, users, op)
	}
	living.Wait()
	rows.row(replicas, users, op)
	c, _ := users.take()
	if cause := context.Cause(ctx); cause != ctx.Err() { // not the end, but what broke
		return c, cause
	}
	return c, nil
}

// conclude says what it came to. A refresh whose answer was lost with its
// process is the one thing that a strict provider does not forgive.
func conclude(stdout io.Writer, o options, c counts, op providertest.Stats) error {
	fmt.Fprintf(stdout, "\n%d storms of %d requests: %d refreshes, %d of them granted; tokens presented twice: %d; sign-outs: %d\n",
		c.storms, o.storm, op.Refreshes, op.Refreshed, op.ReuseDetected, c.signOuts)
	lost := op.Refreshes - op.Refreshed
	switch {
	case c.signOuts == 0:
		return nil
	case !o.calm && o.rotation == providertest.Strict:
		fmt.Fprintln(stdout, "A replica that is killed between the provider's answer and the write of it takes the only valid refresh token along:\nwith strict rotation nobody can save that login. Try -calm, or -rotation graced.")
		return nil
	}
	return fmt.Errorf("%d sign-outs that should not be, %d refreshes refused", c.signOuts, lost)
}

func nameOf(rotation providertest.Rotation) string {
	for name, r := range rotations {
		if r == rotation {
			return name
		}
	}
	return strings.ToLower(fmt.Sprint(rotation))
}
