package grant

import (
	"crypto/rand"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// attempt says that the refresh token of the record's generation is being, or
// was, presented. It is written before the token leaves and removed by the
// commit, so whatever happens in between (crash, cut connection, frozen
// process) is known to the next process that looks.
type attempt struct {
	ID       string    `json:"id"`
	FirstAt  time.Time `json:"first"`           // when this generation's token was first presented
	Deadline time.Time `json:"deadline"`        // the holder gave up by then
	Probe    bool      `json:"probe,omitempty"` // the one try after the quarantine; there is no second
}

const (
	// leaseMargin is how much longer than the call an attempt is respected.
	leaseMargin = 5 * time.Second
	// quarantine is how long after an attempt's deadline a request that is
	// still on its way could reach the provider.
	quarantine = 30 * time.Second
	// replayMargin keeps a replay from arriving after the provider's window.
	replayMargin = 3 * time.Second
)

// next is the attempt that may follow a (nil: none) at now.
func (a *attempt) next(now time.Time, p providers.RefreshPolicy) *attempt {
	n := &attempt{ID: rand.Text(), FirstAt: now, Deadline: now.Add(callTimeout + leaseMargin)}
	if a != nil {
		n.FirstAt = a.FirstAt
		n.Probe = p.Class == providers.Strict || p.Class == providers.Graced && !a.inWindow(now, p)
	}
	return n
}

// inWindow reports whether a provider that allows replays still takes one.
func (a *attempt) inWindow(now time.Time, p providers.RefreshPolicy) bool {
	return now.Before(a.FirstAt.Add(p.Window - replayMargin))
}

// admission says whether the refresh token may be presented now.
type admission uint8

const (
	admitted admission = iota
	held               // somebody else is at it: wait for them
	inDoubt            // it may be consumed, and presenting it could do harm
)

// admit decides by what is known of an earlier attempt and by what the provider
// does with a token that was used before.
func (a *attempt) admit(now time.Time, p providers.RefreshPolicy) admission {
	if a == nil {
		return admitted
	}
	if now.Before(a.Deadline) {
		return held
	}
	switch {
	case p.Class == providers.Reusable:
		return admitted
	case p.Class == providers.Graced && a.inWindow(now, p):
		return admitted
	case !p.Wide && !a.Probe && !now.Before(a.Deadline.Add(quarantine)):
		return admitted
	}
	return inDoubt
}
