package e2e_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// All tokens have expired while the application was down, and then everybody
// comes at once: each grant is refreshed once, the provider is not run down, and
// nobody is signed out (R9).
func TestA13EverybodyComesBackAfterARestart(t *testing.T) {
	t.Parallel()
	const (
		first = 4  // calls at once that a process begins with
		most  = 32 // and that it never exceeds
	)
	people := sized(300, 10_000)
	life := sized(6*time.Second, 10*time.Minute)
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startTestProvider(t, providertest.Config{AccessTokenLifetime: life})
		f := newFleet(t, st)
		f.Start(op)
		all := f.SignedInAll(people)
		for _, r := range f.replicas {
			r.Kill()
		}
		pass(t, life)
		for _, r := range f.replicas {
			r.Start()
		}

		letGo := op.HoldAnswers(providertest.Token)
		var coming sync.WaitGroup
		answers := newAnswers()
		open := make(chan struct{}, 1000) // connections at once
		for i, v := range all {
			coming.Go(func() {
				open <- struct{}{}
				answers.add(f.Ask(v, i%replicas, "/token"))
				<-open
			})
		}
		eventually(t, 10*time.Second, func() bool { return op.Stats().InFlight >= replicas*first })
		pass(t, 500*time.Millisecond)
		if got := op.Stats().InFlight; got != replicas*first {
			t.Errorf("%d calls at once for a start, want %d", got, replicas*first)
		}
		op.Fail(providertest.Token, providertest.Fault{Lag: 300 * time.Millisecond})
		letGo()
		coming.Wait()
		for _, v := range all { // who was turned away by the rush comes again
			coming.Go(func() {
				open <- struct{}{}
				defer func() { <-open }()
				if !within(2*time.Minute, func() bool { return v.Ask(f.URL+"/token").Status == http.StatusOK }) {
					t.Error("somebody gets no token any more")
				}
			})
		}
		coming.Wait()
		got := op.Stats()
		if got.Refreshes != people || got.Refreshed != people || got.ReuseDetected != 0 {
			t.Errorf("%d refreshes of %d grants, %d granted", got.Refreshes, people, got.Refreshed)
		}
		if got.MaxInFlight > replicas*most || got.MaxInFlight <= replicas*first {
			t.Errorf("%d calls at once at most: want a ramp from %d to no more than %d", got.MaxInFlight, replicas*first, replicas*most)
		}
		for status := range answers.statuses {
			if status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("answers by status: %v", answers.statuses)
			}
		}
	})
}
