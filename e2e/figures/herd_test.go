package figures_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// A13: the tokens of all sessions expire at the same moment, and every user is
// there. Each costs the provider one call; a replica that starts begins with a
// few of them at a time and never has more under way than its limit, so that
// three have three times as many at most. Nobody is signed out.
func herd(t *testing.T, on *server) {
	const answer = 20 * time.Millisecond
	users := sized(600, 10_000)
	h := newFleet(t, on)
	visitors := h.signInAll(users, expired)
	for _, r := range h.replicas {
		r.line.restart()
	}
	h.op.Fail(providertest.Token, providertest.Fault{Delay: answer})
	before := h.op.Stats()

	began := time.Now()
	took := rush(users, func(i int) { h.AskPatiently(i, visitors[i], "/mail") })
	all := time.Since(began)

	got := h.op.Stats()
	if calls, done := got.Refreshes-before.Refreshes, got.Refreshed-before.Refreshed; calls != users || done != users {
		t.Errorf("%d calls and %d refreshes for %d sessions", calls, done, users)
	}
	if got.ReuseDetected > 0 || got.LiveGrants != users {
		t.Errorf("%d tokens used twice, %d of %d logins live", got.ReuseDetected, got.LiveGrants, users)
	}
	sum := 0
	for i, r := range h.replicas {
		if r.line.most > callLimit || r.line.rushed > 0 {
			t.Errorf("replica %d had %d calls under way, and %d times more than a start may bring", i, r.line.most, r.line.rushed)
		}
		sum += r.line.most
	}
	t.Logf("%d sessions in %v, %.0f a second; at most %d calls under way at the provider (the replicas' own maxima: %d together)",
		users, all.Round(time.Millisecond), float64(users)/all.Seconds(), got.MaxInFlight, sum)
	t.Logf("a user waited: %v", took)
	h.report()
}

// signInAll signs in many users, some at a time, each at a replica in turn.
func (h *house) signInAll(n int, age time.Duration) []visitor {
	h.t.Helper()
	var (
		all      sync.WaitGroup
		visitors = make([]visitor, n)
		slots    = make(chan struct{}, 8)
	)
	for i := range visitors {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			var err error
			if visitors[i], err = h.signIn(h.replicas[i%len(h.replicas)], fmt.Sprint("user", i), age); err != nil {
				h.t.Error(err)
			}
		})
	}
	all.Wait()
	if h.t.Failed() {
		h.t.FailNow()
	}
	return visitors
}
