package simulation_test

import (
	"strings"
	"time"
)

// change is one row that replaces another.
type change struct {
	w          *world
	r          *replica
	key        string
	prev, next *row // nil: none
}

func (c *change) breach(invariant, what string, args ...any) {
	c.w.breach(invariant, "%s, row %s: "+what, append([]any{c.r.name, c.key}, args...)...)
}

// owner is whose session the row belongs to; nil while its sign-in is under way,
// or if that failed.
func (c *change) owner() *login { return c.w.ledger.logins[loginOf(c.key)] }

// judgeSession: there are no tokens in a session's row, so that no write of it
// can touch one (I11), and it lives on only with its provider's consent and below
// its ceiling (I12).
func (c *change) judgeSession() {
	if strings.Contains(c.next.text, canary) {
		c.breach("I11", "a token in it")
	}
	if a := c.w.style.absolute; a > 0 && c.next.Expires.After(c.next.Created.Add(a)) {
		c.breach("I12", "lives past its ceiling")
	}
	if c.prev == nil {
		return
	}
	if !c.prev.Created.Equal(c.next.Created) || c.prev.Subject != c.next.Subject {
		c.breach("I12", "another session than before")
	}
	if c.next.Expires.After(c.prev.Expires.Add(time.Second)) && !c.vouched() {
		c.breach("I12", "lives on, and its provider has not vouched for it")
	}
}

// vouched reports whether the provider has issued tokens since the session's
// former end, or a moment ago, or somebody else has just prolonged it already.
func (c *change) vouched() bool {
	w, now := c.w, c.w.disk.now()
	g := w.ledger.rows[grantKey(loginOf(c.key))]
	switch {
	case g == nil, c.r.froze(w.at() - time.Minute), w.disk.jumped(w.at() - 2*time.Minute):
		return true // and what comes of it is judged elsewhere
	case !g.Renewed.Before(c.prev.Expires), now.Sub(g.Renewed) < time.Minute:
		return true
	case c.prev.Expires.Sub(now) > w.style.lifetime-time.Minute:
		return true
	}
	for _, call := range w.ledger.families[grantKey(loginOf(c.key))].calls {
		if call.by == c.r && call.delivered && !call.stored {
			return true
		}
	}
	return false
}

// judgeEnd: a session ends because somebody wanted that, because its provider
// ended the grant, or because it ran out (I6).
func (c *change) judgeEnd(owner *login) {
	switch {
	case owner.mayEnd != "", c.prev.Dead != "", c.w.ranOut(owner.id):
	case owner.deadAt > 0 && c.w.at()-owner.deadAt < 5*time.Second: // a late answer made it live again only now
	default:
		c.breach("I6", "%s ends, and nobody wanted that", owner)
	}
}

// past reports whether a session is past its time.
func (w *world) past(s *row, now time.Time) bool {
	st := w.style
	return now.After(s.Expires.Add(max(st.grace, 0))) ||
		st.absolute > 0 && now.After(s.Created.Add(st.absolute)) ||
		st.idle > 0 && now.After(s.Seen.Add(st.idle))
}

// ranOut reports whether a session is gone or past its time, give or take a
// minute for the jumps of the store's clock and the time that requests take.
func (w *world) ranOut(id string) bool {
	s := w.ledger.rows[sessionKey(id)]
	return s == nil || w.past(s, w.disk.now().Add(time.Minute))
}
