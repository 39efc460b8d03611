package grant

import (
	"math/rand/v2"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// backoff is a shared negative result: until then nobody presents this grant's
// refresh token, in any process.
type backoff struct {
	Until time.Time      `json:"until"`
	N     int            `json:"n"` // failures in a row
	Kind  providers.Kind `json:"kind"`
}

const (
	backoffFirst   = time.Second
	backoffLast    = time.Minute
	backoffRefused = time.Minute // what only a person can change
	retryAfterLast = time.Hour
)

// after returns the back-off that follows one more failure at now: exponential
// with full jitter, from one second to a minute, and never before the provider
// itself wants to be asked again.
func (b backoff) after(kind providers.Kind, retryAfter time.Duration, now time.Time) backoff {
	b.N++
	b.Kind = kind
	step := min(backoffFirst<<min(max(b.N-1, 0), 10), backoffLast)
	wait := max(backoffFirst, rand.N(step)+1) // N(step) is below step
	if kind == providers.Misconfigured || kind == providers.Interaction {
		wait = backoffRefused
	}
	b.Until = now.Add(max(wait, min(retryAfter, retryAfterLast)))
	return b
}

// err is what those are told who ask before the back-off ends.
func (b backoff) err(now time.Time) error {
	switch b.Kind {
	case providers.Misconfigured:
		return ErrMisconfigured
	case providers.Interaction:
		return &ReauthError{Reason: b.Kind.String()}
	}
	return transient(b.Kind.String(), b.Until.Sub(now), nil)
}

// transient makes a TransientError; a wait below one second is told as one.
func transient(reason string, wait time.Duration, cause error) error {
	return &TransientError{RetryAfter: max(wait, time.Second), Reason: reason, Err: cause}
}
