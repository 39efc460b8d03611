package providers

import (
	"context"
	"sync"
	"time"
)

const (
	callTimeout = 10 * time.Second // of one call to the provider, body included (docs/threats.md G19)
	freshFor    = time.Hour        // after it a document is renewed behind whoever asks for it
	forcedEvery = time.Minute      // at most one renewal on demand in this time (docs/threats.md R12)
	firstRetry  = time.Second      // back-off after a failure, doubling to
	lastRetry   = time.Minute
)

// fetched is a document of the provider: fetched when it is first needed, by
// one caller on behalf of all. A failure never replaces what is there, and is
// followed by a pause that doubles. The fetch outlives a caller who leaves, so
// that others can have its result, but not callTimeout.
type fetched[T any] struct {
	fetch func(context.Context) (T, *Error)

	mu       sync.Mutex
	value    T
	version  int       // counts successes; 0: there is no value yet
	at       time.Time // of the last success
	failures int       // in a row
	err      *Error    // of the last fetch, nil after a success
	retryAt  time.Time // no fetch before it
	forcedAt time.Time
	flight   chan struct{} // closed when the running fetch ends; nil: none runs
}

// load returns the document and its version. It waits for a fetch only where
// there is no document yet.
func (f *fetched[T]) load(ctx context.Context) (T, int, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	due := f.version == 0 || now.Sub(f.at) >= freshFor
	if due && !now.Before(f.retryAt) {
		f.start(ctx)
	}
	if f.version == 0 && f.flight != nil {
		if err := f.wait(ctx); err != nil {
			return f.value, 0, err
		}
	}
	if f.version == 0 {
		return f.value, 0, f.failure()
	}
	return f.value, f.version, nil
}

// renew returns a document newer than the version seen, fetching it where that
// has not been done on demand for a minute. The version returned is the one
// seen where there is nothing newer to be had.
func (f *fetched[T]) renew(ctx context.Context, seen int) (T, int, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.version == seen {
		if f.flight == nil {
			now := time.Now()
			if now.Sub(f.forcedAt) < forcedEvery {
				break
			}
			f.forcedAt = now
			f.start(ctx)
		}
		if err := f.wait(ctx); err != nil {
			return f.value, seen, err
		}
	}
	if f.version == seen && f.err != nil {
		return f.value, seen, f.failure()
	}
	return f.value, f.version, nil
}

// start begins a fetch unless one is under way. f.mu is held.
func (f *fetched[T]) start(ctx context.Context) {
	if f.flight != nil {
		return
	}
	f.flight = make(chan struct{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	go func() {
		defer cancel()
		value, err := f.fetch(ctx)
		f.settle(value, err)
	}()
}

// wait waits for the running fetch. f.mu is held, and released meanwhile.
func (f *fetched[T]) wait(ctx context.Context) *Error {
	flight := f.flight
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return &Error{Kind: Unready, Err: ctx.Err()}
	}
}

// settle records the outcome of a fetch and wakes those who wait for it.
func (f *fetched[T]) settle(value T, err *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.flight)
	f.flight = nil
	now := time.Now()
	if err == nil {
		f.value, f.at, f.err = value, now, nil
		f.version++
		f.failures, f.retryAt = 0, time.Time{}
		return
	}
	f.err = err
	pause := min(firstRetry<<min(f.failures, 6), lastRetry)
	f.retryAt = now.Add(max(pause, min(f.err.RetryAfter, lastRetry)))
	f.failures++
}

// failure is the last failure with the time that is left to wait. f.mu is held.
func (f *fetched[T]) failure() *Error {
	e := *f.err
	e.RetryAfter = max(time.Until(f.retryAt), time.Second)
	return &e
}
