package grant

import (
	"math/rand/v2"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// backoff is a shared negative result: until then nobody presents this grant's
// refresh token, in any process.
type backoff struct {
	Since time.Time      `json:"since,omitzero"`
	Until time.Time      `json:"until"`
	N     int            `json:"n"` // failures in a row
	Kind  providers.Kind `json:"kind"`
}

const (
	// backoffBlip follows a first failure; whoever waits for the token sits it out.
	backoffBlip = time.Second
	// backoffLeast and backoffMost bound what follows further ones: seldom enough
	// for a provider that is down, soon enough for one that is back (docs/threats.md R9).
	backoffLeast   = 5 * time.Second
	backoffMost    = 15 * time.Second
	backoffRefused = time.Minute // what only a person can change
	retryAfterMost = time.Hour
)

// after returns the back-off that follows one more failure at now: a second, and
// then between five and fifteen by lot, so that those who failed together do not
// come back together; never before the provider itself wants to be asked again.
// The time that the call took counts: who has waited long has waited.
func (b backoff) after(f failure, now time.Time) backoff {
	wait := backoffBlip
	switch {
	case f.kind == providers.Misconfigured || f.kind == providers.Interaction:
		wait = backoffRefused
	case b.N > 0:
		spread := min(backoffLeast*time.Duration(b.N), backoffMost-backoffLeast)
		wait = backoffLeast + rand.N(spread)
	}
	return backoff{
		Since: now,
		Until: now.Add(max(wait-f.took, backoffBlip, f.retryAfter)),
		N:     min(b.N, 1000) + 1,
		Kind:  f.kind,
	}
}

// left is how much of the back-off is left. One that was noted in the future,
// or reaches further than any does, was dated by a clock that was set back since,
// and is over.
func (b backoff) left(now time.Time) time.Duration {
	left := b.Until.Sub(now)
	if left > retryAfterMost+skew || b.Since.After(now.Add(skew)) {
		return 0
	}
	return max(left, 0)
}

// err is what those are told who ask before the back-off ends.
func (b backoff) err(now time.Time) error {
	switch b.Kind {
	case providers.Misconfigured:
		return ErrMisconfigured
	case providers.Interaction:
		return &ReauthError{Reason: b.Kind.String()}
	}
	return transient(b.Kind.String(), b.left(now), nil)
}
