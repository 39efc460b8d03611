package simulation_test

import (
	"time"
)

// ledger knows every row that the store holds, every token there ever was, and
// how each came about. Its methods are called with w.mu held, in the very instant
// in which the store changes.
type ledger struct {
	w        *world
	rows     map[string]*row          // by key, as the store shows them
	gone     map[string]bool          // keys of rows that were there once
	lastGen  map[string]uint64        // of grants, gone ones too
	journals map[string]*journal      // attempts, by their ids
	written  map[string][]*journal    // the same, by the grant's key
	keyOf    map[string]string        // of the grant, by refresh token
	families map[string]*family       // by the grant's key
	logins   map[string]*login        // by session id, from the end of the sign-in on
	refresh  map[string]*refreshToken // by value
	access   map[string]*token        // by value
	endings  []ending
}

// journal is an attempt that was written into a grant's row.
type journal struct {
	id   string
	gen  uint64
	rt   string
	by   *replica
	at   time.Duration
	call *call // what it was used for; nil: nothing yet
}

// ending is the end of a grant whose refresh token has to be revoked.
type ending struct {
	fam *family
	by  *replica
	at  time.Duration
}

func newLedger(w *world) ledger {
	return ledger{
		w:        w,
		rows:     make(map[string]*row),
		gone:     make(map[string]bool),
		lastGen:  make(map[string]uint64),
		journals: make(map[string]*journal),
		written:  make(map[string][]*journal),
		keyOf:    make(map[string]string),
		families: make(map[string]*family),
		logins:   make(map[string]*login),
		refresh:  make(map[string]*refreshToken),
		access:   make(map[string]*token),
	}
}

// place names what a write is in the course of a refresh.
func (l *ledger) place(key string, next *row) string {
	prev := l.rows[key]
	switch {
	case !isGrant(key):
		return "other write"
	case next.ends(key):
		return "end"
	case prev == nil:
		return "sign-in"
	case next.Gen > prev.Gen:
		return "commit"
	case next.Attempt != nil && (prev.Attempt == nil || prev.Attempt.ID != next.Attempt.ID):
		return "begin"
	}
	return "note"
}

// saved enters a row that was written.
func (l *ledger) saved(r *replica, key string, next *row) {
	if next.ends(key) {
		if f := l.families[key]; f != nil && next.text == "=" {
			f.followed = true
		}
		l.deleted(r, key)
		return
	}
	c := &change{w: l.w, r: r, key: key, prev: l.rows[key], next: next}
	if c.prev == nil && l.gone[key] {
		c.breach("I8", "written back after it was deleted")
	}
	l.rows[key] = next
	switch {
	case isSession(key):
		c.judgeSession()
	case isGrant(key):
		l.lastGen[key] = next.Gen
		if next.RT != "" {
			l.keyOf[next.RT] = key
		}
		c.judgeGrant()
	}
}

// deleted enters a row that was deleted, or replaced by one that says as much.
func (l *ledger) deleted(r *replica, key string) {
	c := &change{w: l.w, r: r, key: key, prev: l.rows[key]}
	if c.prev == nil {
		return
	}
	delete(l.rows, key)
	l.gone[key] = true
	if !isGrant(key) {
		return
	}
	l.w.note("%s: deletes %.6s", r.name, loginOf(key))
	owner := c.owner()
	if owner == nil {
		return // a sign-in that failed
	}
	c.judgeEnd(owner)
	owner.endedAt = l.w.at()
	// A write that was given up and arrives all the same ends a session of which
	// its process believes that it goes on.
	lately := l.w.at() - 5*time.Second
	if c.prev.RT != "" && c.prev.Dead == "" && r.storeTrouble < lately && !r.froze(lately) {
		l.endings = append(l.endings, ending{l.families[key], r, l.w.at()})
	}
}

// mayEnd notes why a session may end.
func (l *ledger) mayEnd(key, why string) {
	if owner := l.logins[loginOf(key)]; owner != nil {
		owner.mayEnd = why
	}
}

// expose notes that r has seen an answer about somebody else.
func (l *ledger) expose(name string, r *replica) {
	for _, f := range l.families {
		if f.name == name {
			f.exposed = r
		}
	}
}
