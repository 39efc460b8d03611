package grant

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// PhaseAt is the phase of a token that was issued age ago.
func PhaseAt(age, life, refreshIn time.Duration, key string, gen uint64) Phase {
	issued := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := access{Token: "at", IssuedAt: issued}
	a.age(life, refreshIn, key, gen)
	return a.phase(issued.Add(age))
}

// DecodeRow does with a row what a request and a refresh do with it.
func DecodeRow(value []byte) {
	r := decode(store.Entry{Value: value})
	if r == nil {
		return
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, a := range r.Access {
		a.phase(now)
	}
	if r.refusal(now, client{refresher: (*providers.OIDC)(nil)}, "") == nil {
		n := r.clone()
		n.Backoff = n.Backoff.after(failure{retryAfter: time.Hour}, now)
		n.keep("x", access{})
		n.refuse("y", failure{}, now)
		n.encode()
	}
}
