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
	FirstAt  time.Time `json:"first"`             // when this generation's token was first presented
	Deadline time.Time `json:"deadline"`          // the holder gave up by then
	Probe    bool      `json:"probe,omitempty"`   // the one try after the quarantine; there is no second
	Doubted  bool      `json:"doubted,omitempty"` // it follows one whose outcome is unknown
}

const (
	// leaseMargin is how much longer than the call an attempt is respected.
	leaseMargin = 5 * time.Second
	// leaseTime is how long an attempt keeps others away.
	leaseTime = callTimeout + leaseMargin
	// quarantine is how long after an attempt's deadline a request that is
	// still on its way could reach the provider.
	quarantine = 30 * time.Second
	// replayMargin keeps a replay from arriving after the provider's window.
	replayMargin = 3 * time.Second
)

// next is the attempt that may follow a (nil: none) at now.
func (a *attempt) next(now time.Time, p providers.RefreshPolicy) *attempt {
	n := &attempt{ID: rand.Text(), FirstAt: now, Deadline: now.Add(leaseTime)}
	if a != nil {
		n.FirstAt = a.FirstAt
		n.Probe = a.isLast(now, p)
		n.Doubted = true
	}
	return n
}

// withdrawn is what is left of an attempt that certainly consumed nothing: what
// an earlier one of its generation did is as unknown as it was.
func (a *attempt) withdrawn(now time.Time) *attempt {
	if !a.Doubted {
		return nil
	}
	w := *a
	w.Deadline, w.Probe = now, false
	return &w
}

// isLast reports whether whoever presents the token after a does so against the
// odds, as the probe that has no successor.
func (a *attempt) isLast(now time.Time, p providers.RefreshPolicy) bool {
	return a != nil && p.Class != providers.Reusable && !a.inWindow(now, p)
}

// inWindow reports whether a provider that allows replays still takes one. A
// first presentation in the future was dated by a clock that was set back since:
// nobody knows how long ago it was.
func (a *attempt) inWindow(now time.Time, p providers.RefreshPolicy) bool {
	return p.Class == providers.Graced &&
		now.After(a.FirstAt.Add(-skew)) && now.Before(a.FirstAt.Add(p.Window-replayMargin))
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
	switch {
	case a == nil:
		return admitted
	case now.Before(a.Deadline):
		return held
	case !a.isLast(now, p):
		return admitted
	case !p.Wide && !a.Probe && !now.Before(a.Deadline.Add(quarantine)):
		return admitted
	}
	return inDoubt
}

// astray reports whether a's deadline lies further ahead than any lease
// reaches: the store's clock was set back since.
func (a *attempt) astray(now time.Time) bool {
	return a != nil && a.Deadline.After(now.Add(leaseTime+skew))
}
