package grant

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// refusal is why a record cannot be refreshed for an audience now, as far as the
// record itself tells; nil if it can. The back-off after a first failure is let
// pass: it is short enough to be sat out.
func (r *record) refusal(now time.Time, us client, audience string) error {
	if err := r.final(us); err != nil {
		return err
	}
	if b := r.Refused[audience]; b.left(now) > 0 {
		return b.err(now)
	}
	if wait := r.Backoff.left(now); wait > retryWithin || wait > 0 && r.Backoff.N > 1 {
		return r.Backoff.err(now)
	}
	return nil
}

// retryWithin is the longest back-off that a refresh sits out by itself.
const retryWithin = 2 * time.Second

// final is why a record can never be refreshed again; nil if it can.
func (r *record) final(us client) error {
	switch {
	case r.Dead != "":
		return &ReauthError{Reason: r.Dead}
	case r.foreign(us):
		return &ReauthError{Reason: ReasonRegistration}
	case us.refresher == nil:
		return ErrUnsupported
	case r.RefreshToken == "":
		return ErrNoRefreshToken
	}
	return nil
}

// foreign reports whether the tokens are those of another client, or of another
// issuer under the same alias: the configuration changed since the sign-in.
func (r *record) foreign(us client) bool {
	return r.Client != "" && us.registration != "" && r.Client != us.registration
}

// doubt is what a caller is told whose refresh token may be consumed: wait, as
// long as that can help or there is a token that lives meanwhile, and otherwise
// sign in again. A token of unknown lifetime is no reason to wait for its end.
func (r *record) doubt(now time.Time, audience Audience, p providers.RefreshPolicy) error {
	if probeAt := r.Attempt.Deadline.Add(quarantine); !p.Wide && !r.Attempt.Probe {
		return transient(ReasonInDoubt, probeAt.Sub(now), nil)
	}
	if left := r.Access[audience.key()].ExpiresAt.Sub(now); left > 0 {
		return transient(ReasonInDoubt, left, nil)
	}
	return &ReauthError{Reason: ReasonInDoubt}
}
