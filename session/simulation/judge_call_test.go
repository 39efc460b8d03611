package simulation_test

import (
	"slices"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

func (c *call) breach(invariant, what string, args ...any) {
	c.rt.fam.idp.w.breach(invariant, "%s, %s: "+what, append([]any{c.by.name, c.rt.fam}, args...)...)
}

// judge judges a presentation: an attempt stands in the store that is ours and
// over this very token, and nobody else is at it (I1, I4).
func (c *call) judge() {
	f, w := c.rt.fam, c.rt.fam.idp.w
	var mine *journal
	for _, j := range w.ledger.written[c.key] {
		if j.by == c.by && j.rt == c.rt.value && j.call == nil {
			mine = j
		}
	}
	if mine == nil {
		c.breach("I4", "presents a refresh token over which it has written no attempt")
		return
	}
	mine.call, c.gen, c.attempt, c.begunAt = c, mine.gen, mine.id, mine.at
	if c.by.froze(mine.at) || w.disk.jumped(mine.at-time.Minute) {
		return
	}
	// A late winner may have stored the next generation while the store's answer
	// to the attempt was on its way.
	if now := w.ledger.rows[c.key]; now != nil && now.Gen == c.gen && (now.Attempt == nil || now.Attempt.ID != mine.id) {
		c.breach("I1", "presents a refresh token, and its attempt is not the one that stands")
	}
	if waited := w.at() - mine.at; waited > leaseLimit-callLimit {
		c.breach("I1", "presents a refresh token %v after the attempt", waited)
	}
	for _, other := range f.open {
		if other.gen == c.gen && !other.by.dead.Load() && !other.by.froze(other.sentAt) {
			c.breach("I1", "presents a refresh token that %s is presenting", other.by.name)
		}
	}
	c.judgeRepetition()
}

// judgeRepetition: how often, and how soon, a token may be presented again whose
// first use may have consumed it (I1, I19).
func (c *call) judgeRepetition() {
	f, w := c.rt.fam, c.rt.fam.idp.w
	p := f.idp.rule()
	before := slices.DeleteFunc(slices.Clone(c.rt.calls), func(o *call) bool {
		return !o.arrived && o.told != providers.Unknown && o.told != providers.Gateway
	})
	if len(before) == 0 || p.Class == providers.Reusable || w.disk.jumped(before[0].begunAt-2*time.Second) { // it looked at the clock a little earlier
		return
	}
	first, last := before[0], before[len(before)-1]
	again := before[1:]
	if p.Class == providers.Graced {
		if w.at() < first.sentAt+p.Window {
			return
		}
		again = slices.DeleteFunc(before, func(o *call) bool { return o.sentAt < first.sentAt+p.Window })
	}
	// An error page does not use up the one probe there is.
	again = slices.DeleteFunc(again, func(o *call) bool { return o.told == providers.Gateway })
	switch {
	case p.Wide:
		c.breach("I1", "presents a refresh token again, where that may end other sign-ins")
	case len(again) > 0:
		c.breach("I19", "probes a second time")
	case w.at()-last.sentAt < quarantine:
		c.breach("I1", "presents a refresh token again after %v", w.at()-last.sentAt)
	}
}

// judgeReuse: a login that its provider ends because we used a token twice is one
// that a user loses. It may only happen where the answer to the first use never
// reached us, or never reached the store, through no fault of the code (I1, I3).
func (c *call) judgeReuse() {
	w := c.rt.fam.idp.w
	i := slices.IndexFunc(c.rt.calls, func(o *call) bool { return o != c && o.arrived })
	if i < 0 {
		return
	}
	first := c.rt.calls[i]
	since := min(first.begunAt, c.begunAt)
	switch {
	case c.by.froze(since), first.by.froze(since), w.disk.jumped(since):
	case first.stored && first.storedAt < c.begunAt:
		c.breach("I1", "presents a refresh token whose successor is stored")
	case !first.delivered, first.endedAt > c.begunAt: // the answer was lost, or not there yet
	case first.by.dead.Load(), first.by.endedInTrouble():
	case first.by.storeTrouble+8*time.Second > c.begunAt: // it could not be stored yet
	default:
		c.breach("I3", "presents a refresh token, and %s was answered and did not store it", first.by.name)
	}
}

// settle: no answer of a provider gets lost (I3). It is called when all is over.
func (c *call) settle() {
	w := c.rt.fam.idp.w
	switch {
	case !c.delivered, c.stored:
	case w.ledger.lastGen[c.key] > c.gen: // another answer was first
		w.sum.add("superseded answers")
	case c.by.dead.Load(), c.by.endedInTrouble(): // with the answer in its hands
	case c.rt.fam.followed: // its user signed in again meanwhile
		w.sum.add("answers that nobody needed")
	case w.ledger.refresh[c.newest].revoked:
		w.sum.add("newborns revoked")
	default:
		c.breach("I3", "was answered at %v, and neither stored nor revoked the answer", c.endedAt)
	}
}
