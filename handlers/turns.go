package handlers

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

const (
	// maxTurns is how many sign-ins are under way at once at each provider, of
	// clients and of browsers each: one costs a call to the provider or a
	// signature, and anybody on the internet may send as many as they like
	// (docs/threats.md DOS4, DOS5).
	maxTurns = 32
	// clientWait and browserWait are how long the others wait for their turn. A
	// program tries again by itself; a person has come a long way.
	clientWait  = 2 * time.Second
	browserWait = 10 * time.Second
)

// turns bounds what is under way at each provider, so that who floods one, or
// finds it slow, does not keep the users of another.
type turns map[string]chan struct{}

// add makes room for a provider.
func (t turns) add(p providers.Provider) { t[p.Name()] = make(chan struct{}, maxTurns) }

// take waits for a turn at p, until ctx ends or wait is over.
func (t turns) take(ctx context.Context, p providers.Provider, wait time.Duration) (done func(), ok bool) {
	mine := t[p.Name()]
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	select {
	case mine <- struct{}{}:
		return func() { <-mine }, true
	case <-ctx.Done():
		return nil, false
	}
}
