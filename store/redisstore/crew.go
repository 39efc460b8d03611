package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// crew runs calls that may outlast the context of who asked for them: the client
// heeds deadlines only if it was told to, and cancellations not at all once it
// waits for an answer. Goroutines that have grown their stacks for the client
// are kept for the next call: a new one each time costs a fifth of a read.
type crew struct {
	jobs chan func()
	stop chan struct{}
	idle atomic.Int64 // how many wait for a job

	mu      sync.Mutex
	closed  bool
	workers sync.WaitGroup
}

const (
	// mostIdle is how many goroutines wait for work.
	mostIdle = 32
	// grace is how long a call may still take when its context ends. A server
	// that is well answers within it, and to know what became of a Save is worth
	// more than a disconnect that is noticed earlier.
	grace = 25 * time.Millisecond
)

var errClosed = errors.New("the store is closed")

func newCrew() *crew {
	return &crew{jobs: make(chan func()), stop: make(chan struct{})}
}

// do calls f and returns what it does, or the error of ctx soon after that ends;
// f is then left to end by itself.
func do[T any](ctx context.Context, c *crew, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	done := make(chan result, 1)
	job := func() {
		value, err := zero, ctx.Err() // it may have ended before a goroutine was found
		if err == nil {
			value, err = f(ctx)
		}
		done <- result{value, err}
	}
	if err := c.send(job); err != nil {
		return zero, err
	}
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		select {
		case r = <-done:
		case <-time.After(grace):
			r.err = ctx.Err()
		}
	}
	if r.err != nil {
		return zero, blame(ctx, r.err)
	}
	return r.value, nil
}

// blame returns the error of ctx with err where ctx is why a call failed: a
// deadline may reach the connection before it reaches the context.
func blame(ctx context.Context, err error) error {
	because := ctx.Err()
	if deadline, ok := ctx.Deadline(); ok && because == nil && !time.Now().Before(deadline) {
		because = context.DeadlineExceeded
	}
	if because == nil || errors.Is(err, because) {
		return err
	}
	return fmt.Errorf("%w: %w", because, err)
}

// send has job done by who waits for one, or else by a new goroutine.
func (c *crew) send(job func()) error {
	select {
	case c.jobs <- job:
		return nil
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.workers.Go(func() { c.work(job) })
	return nil
}

// work does one job after the other, until enough others wait for one.
func (c *crew) work(job func()) {
	for {
		job()
		if c.idle.Add(1) > mostIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case job = <-c.jobs:
			c.idle.Add(-1)
		case <-c.stop:
			return
		}
	}
}

// close lets nobody start a call any more and waits for those under way.
func (c *crew) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
	c.mu.Unlock()
	c.workers.Wait()
}
