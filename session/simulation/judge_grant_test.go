package simulation_test

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// judgeGrant judges a write of a grant's row.
func (c *change) judgeGrant() {
	prev, next := c.prev, c.next
	switch {
	case prev == nil:
		if next.Gen != 1 {
			c.breach("I4", "begins with generation %d", next.Gen)
		}
		c.noteTokens()
	case next.Gen == prev.Gen+1:
		c.judgeCommit()
	case next.Gen != prev.Gen:
		c.breach("I4", "goes from generation %d to %d", prev.Gen, next.Gen)
	case next.Dead != "" && prev.Dead == "":
		c.judgeBurial()
	case next.RT != prev.RT || next.Dead != prev.Dead:
		c.breach("I6", "another refresh token, or another end, within generation %d", prev.Gen)
	case len(next.Access) < len(prev.Access):
		c.breach("I6", "an access token is gone")
	default:
		c.judgeAttempt()
	}
}

// noteTokens notes that the row's tokens are stored, each under its audience.
func (c *change) noteTokens() {
	for aud, a := range c.next.Access {
		t := c.w.ledger.access[a.Token]
		if t == nil || t.audience != aud {
			c.breach("I16", "under audience %q a token that is not for it", aud)
			continue
		}
		t.stored = true
		c.w.ledger.families[c.key] = t.fam
	}
}

// judgeCommit judges an answer that is stored: ours, for this grant, to its
// present generation, whole, and fresh (I3, I4, I15, I16).
func (c *change) judgeCommit() {
	w, prev, next := c.w, c.prev, c.next
	brought := c.brought()
	if brought == nil || brought.call == nil {
		c.breach("I4", "a generation that no refresh brought")
		return
	}
	call := brought.call
	switch {
	case call.by != c.r || call.key != c.key:
		c.breach("I16", "what %s was answered for %s", call.by.name, call.key)
	case call.gen != prev.Gen:
		c.breach("I4", "at generation %d the answer to generation %d", prev.Gen, call.gen)
	case next.Attempt != nil || next.Dead != "":
		c.breach("I4", "an attempt or an end is left in a new generation")
	case next.RT != call.newest && !(prev.Dead != "" && call.rt.fam.idp.manner == silent): // a dead grant has none, and none came
		c.breach("I3", "another refresh token than was answered")
	}
	if prev.Attempt == nil || prev.Attempt.ID != call.attempt {
		w.sum.add("late winners")
	}
	a := next.Access[call.audience]
	if w.at()-call.sentAt < brought.life/4 && !w.disk.jumped(call.begunAt-5*time.Second) && a.phase(w.disk.now()) > grant.Fresh && !brought.untold {
		c.breach("I15", "a new token is %s already", a.phase(w.disk.now()))
	}
	call.stored, call.storedAt = true, w.at()
	c.noteTokens()
	w.sum.add("commits")
	w.note("%s: commit of %.6s generation %d", c.r.name, loginOf(c.key), next.Gen)
}

// brought returns the one access token that was not stored before; nil, and a
// breach where there is more than one.
func (c *change) brought() (brought *token) {
	for aud, a := range c.next.Access {
		t := c.w.ledger.access[a.Token]
		switch {
		case t == nil:
			c.breach("I16", "an access token that nobody issued")
		case t.stored: // what an end took out may come back with a late answer
		case brought != nil:
			c.breach("I16", "tokens of two audiences change at once")
		default:
			brought = t
		}
		if t != nil && t.audience != aud {
			c.breach("I16", "a token for %q under %q", t.audience, aud)
		}
	}
	return brought
}

// judgeBurial judges that a grant is declared dead: its refresh token was refused
// for good, nobody else is at it, and it is still the same (I5, I6).
func (c *change) judgeBurial() {
	w, prev := c.w, c.prev
	w.sum.add("burials")
	w.note("%s: %.6s is dead: %s", c.r.name, loginOf(c.key), c.next.Dead)
	if owner := c.owner(); owner != nil {
		owner.deadAt = w.at()
	}
	var j *journal
	if prev.Attempt != nil {
		j = w.ledger.journals[prev.Attempt.ID]
	}
	switch {
	case j == nil || j.by != c.r:
		c.breach("I5", "buried beside another's attempt")
	case j.call == nil || j.call.rt.value != prev.RT || j.gen != prev.Gen:
		c.breach("I5", "buried, and its refresh token was not refused")
	case j.call.told != providers.Revoked && j.call.told != providers.Interaction:
		c.breach("I6", "buried for %q, which ends nothing", j.call.told)
	case j.call.told == providers.Interaction && len(c.next.Access) < len(prev.Access):
		c.breach("I7", "buried with tokens that live")
	}
}

// judgeAttempt judges what becomes of the attempt in the row.
func (c *change) judgeAttempt() {
	was, is := c.prev.Attempt, c.next.Attempt
	switch {
	case was == nil && is == nil:
	case is == nil:
		c.judgeRelease()
	case was == nil || was.ID != is.ID:
		c.judgeBegin()
	case c.w.disk.jumped(c.w.at() - 2*time.Minute): // and what it was dated by is put right
	case is.Deadline.After(was.Deadline) && is.Deadline.After(c.w.disk.now()):
		c.breach("I1", "an attempt is extended")
	case is.Deadline.Before(was.Deadline) && !c.mine(was):
		c.breach("I1", "another's attempt is given up")
	case was.Probe && !is.Probe && c.mine(was) && c.told(was) == providers.Unknown:
		c.breach("I19", "a probe is taken back whose answer was lost")
	}
}

// mine reports whether the replica that writes has made the attempt.
func (c *change) mine(a *attemptRow) bool {
	j := c.w.ledger.journals[a.ID]
	return j != nil && j.by == c.r
}

// told is what the code was told when it presented the token; NotSent if it did not.
func (c *change) told(a *attemptRow) providers.Kind {
	if j := c.w.ledger.journals[a.ID]; j != nil && j.call != nil {
		return j.call.told
	}
	return providers.NotSent
}

// leaseLimit is the longest that an attempt may be respected: one call and a
// margin (E6).
const leaseLimit = 20 * time.Second

// quarantine is how long after an attempt its request may still be on its way.
const quarantine = 30 * time.Second

// judgeBegin judges a lease that is taken: may the refresh token be presented now
// (I1, I4, I14, I19)?
func (c *change) judgeBegin() {
	w, prev, now := c.w, c.prev, c.w.disk.now()
	j := &journal{id: c.next.Attempt.ID, gen: prev.Gen, rt: prev.RT, by: c.r, at: w.at()}
	w.ledger.journals[j.id] = j
	w.ledger.written[c.key] = append(w.ledger.written[c.key], j)
	w.sum.add("attempts")
	if c.next.Attempt.Probe {
		w.sum.add("probes")
	}
	w.note("%s: attempt %.4s on %.6s generation %d, probe %t", c.r.name, j.id, loginOf(c.key), prev.Gen, c.next.Attempt.Probe)
	if limit := c.next.Attempt.Deadline.Sub(now); limit > leaseLimit+opLimit && !w.disk.jumped(w.at()-time.Minute) {
		c.breach("I19", "a lease of %v", limit)
	}
	// A write that the store was slow to take comes a few seconds after the look
	// that led to it.
	if lately := w.at() - 5*time.Second; w.disk.jumped(lately) || c.r.froze(lately) {
		return // it looked at another clock, or long ago: whether it presents is judged there
	}
	if prev.Dead != "" || prev.RT == "" {
		c.breach("I4", "an attempt without a refresh token")
	}
	if now.Before(prev.Backoff.Until) && !w.disk.jumped(w.at()-100*time.Second) { // one of a clock that was set back is not believed
		c.breach("I14", "an attempt %v before the back-off is over", prev.Backoff.Until.Sub(now))
	}
	if prev.Attempt != nil {
		c.judgeRepetition(now)
	}
	c.judgeNeed(now)
}

// judgeRepetition judges an attempt that follows another of the same generation.
func (c *change) judgeRepetition(now time.Time) {
	a, p := c.prev.Attempt, c.w.ledger.families[c.key].idp.rule()
	switch {
	case now.Before(a.Deadline):
		c.breach("I1", "an attempt while another has %v left", a.Deadline.Sub(now))
	case p.Class == providers.Reusable:
	case p.Class == providers.Graced && now.Before(a.First.Add(p.Window)):
	case p.Wide:
		c.breach("I1", "a second attempt, where that can end other sign-ins")
	case a.Probe:
		c.breach("I19", "a second probe")
	case now.Before(a.Deadline.Add(quarantine)):
		c.breach("I1", "a probe only %v after the last attempt", now.Sub(a.Deadline))
	}
}

// judgeNeed: nobody refreshes what is fresh, unless somebody asked for it. The
// moment at which a token ages is stored with it, so that every look at it agrees.
func (c *change) judgeNeed(now time.Time) {
	w, owner := c.w, c.owner()
	if owner == nil || owner.forcing > 0 || owner.forced > 0 && w.at()-owner.forced < time.Minute || c.r.froze(w.at()-2*time.Minute) {
		return
	}
	for _, a := range c.prev.Access {
		if p := a.phase(now); p != grant.Fresh && p != grant.Unknown || a.IssuedAt.After(now) {
			return // due, or dated by a clock that was set back since
		}
	}
	if c.prev.Access[""].Token != "" {
		c.breach("I14", "an attempt, and all its tokens are fresh")
	}
}

// judgeRelease judges an attempt that is taken back: it must not have been able to
// use the token up, and the provider's wish to be left alone is heeded (I1, I3, I14).
func (c *change) judgeRelease() {
	was := c.prev.Attempt
	if !c.mine(was) {
		c.breach("I1", "another's attempt is taken back")
		return
	}
	switch told := c.told(was); {
	case told == providers.Unknown, told == providers.Gateway && c.w.ledger.families[c.key].idp.rule().Class != providers.Reusable:
		c.breach("I3", "an attempt is taken back, and its answer was lost: %s", told)
	case told == providers.Busy:
		call := c.w.ledger.journals[was.ID].call
		until := c.w.disk.now().Add(call.retryAfter - 6*time.Second) // a write that was given up may arrive late
		if c.next.Backoff.Until.Before(until) && !c.w.disk.jumped(c.w.at()-5*time.Second) && !c.r.froze(call.endedAt) {
			c.breach("I14", "the provider asked for %v", call.retryAfter)
		}
	}
}
