package figures_test

import (
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// R1: a thousand requests on three replicas find one access token expired, and
// the provider takes its time. It is asked once.
//
// What the others wait is told in two ways, as multiples of what the provider
// took: what the hook was told, and how much longer the requests took than as
// many that find a good token.
func storm(t *testing.T, on *server) {
	const (
		requests = 1000
		answer   = 200 * time.Millisecond
	)
	rounds := sized(2, 50)
	h := newFleet(t, on)
	h.op.Fail(providertest.Token, providertest.Fault{Delay: answer})
	var waits, added spread // the 99th percentile of each storm
	for round := range rounds {
		v := h.SignIn(h.replicas[0], "ada", expired)
		ask := func(i int) { h.AskPatiently(i, v, "/mail") }
		stormy := rush(requests, ask)
		waited := h.takeWaits()
		calm := rush(requests, ask)
		if got := h.op.Stats(); got.Refreshes != round+1 || got.Refreshed != round+1 || got.ReuseDetected != 0 {
			t.Fatalf("after %d storms: %d calls, %d refreshes, %d reuses: want one each and no reuse", round+1, got.Refreshes, got.Refreshed, got.ReuseDetected)
		}
		if len(waited) == 0 || len(h.takeWaits()) > 0 {
			t.Errorf("round %d: nobody waited in the storm, or somebody in the calm", round)
		}
		waits = append(waits, waited.quantile(0.99))
		added = append(added, stormy.quantile(0.99)-calm.quantile(0.99))
	}
	t.Logf("p99 of the waits for the refresh: %.2f times the provider's answer, %.2f in the worst of %d storms",
		ratio(waits.quantile(0.5), answer), ratio(waits.quantile(1), answer), rounds)
	t.Logf("p99 of the requests: %.2f times the provider's answer more than in a calm, %.2f in the worst of %d storms",
		ratio(added.quantile(0.5), answer), ratio(added.quantile(1), answer), rounds)
	h.report()
	if worst := waits.quantile(1); worst > 30*time.Second { // nothing hangs
		t.Errorf("p99 of the waits: %v", worst)
	}
}

// rush calls ask n times at once, with the numbers from 0, and returns how long
// each took.
func rush(n int, ask func(i int)) spread {
	var (
		all  sync.WaitGroup
		gate = make(chan struct{})
		took = make(spread, n)
	)
	for i := range n {
		all.Go(func() {
			<-gate
			began := time.Now()
			ask(i)
			took[i] = time.Since(began)
		})
	}
	close(gate)
	all.Wait()
	return took
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
