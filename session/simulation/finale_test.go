package simulation_test

import (
	"time"
)

// finale is the end of the hour: everything is healed, time passes, and every
// session that survived must work, on every replica.
func (w *world) finale() {
	w.clear()
	time.Sleep(4 * time.Minute)
	for round := range 2 {
		for _, b := range w.users {
			if b.login == nil {
				continue
			}
			d := w.dice("finale"+b.user, round)
			for slot := range replicaCount {
				if b.visit(b.login, pick(d, "page", "strict"), w.replicas[slot], d) {
					b.login = nil
					break
				}
				if round > 0 {
					w.judgeSurvivor(b.login)
				}
			}
		}
		time.Sleep(w.style.accessLife + w.style.accessLife/4)
	}
}

// judgeSurvivor: a session that goes on, and that was visited just now, has an
// access token that lives, or its refresh token is known to be lost (I19).
func (w *world) judgeSurvivor(l *login) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.ledger.rows[grantKey(l.id)]
	if g == nil || g.Dead != "" || w.ranOut(l.id) {
		return
	}
	w.sum.add("survivors")
	rt := w.ledger.refresh[g.RT]
	switch {
	case g.Access[""].usable(w.disk.now()):
	case g.Attempt == nil && rt.good():
		w.breach("I19", "%s does not work, and its refresh token is good", l)
	case g.Attempt != nil && !g.Attempt.Probe && !l.fam.idp.policy.Wide:
		w.breach("I19", "%s is left in doubt", l)
	}
}

// settleAccounts is done when nobody does anything any more.
func (w *world) settleAccounts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.idps {
		for _, f := range i.logins {
			for _, c := range f.calls {
				c.settle()
			}
		}
	}
	for _, e := range w.ledger.endings {
		if !e.fam.revoked && !e.fam.followed && !e.by.dead.Load() && !e.by.endedInTrouble() && !e.by.endedAfter(e.at) {
			w.breach("I8", "%s ended %s at %v and left its refresh token alive", e.by.name, e.fam, e.at)
		}
	}
	for _, l := range w.logins {
		by := l.fam.exposed
		if by != nil && w.ledger.rows[grantKey(l.id)] != nil && !by.dead.Load() && !by.endedInTrouble() {
			w.breach("I17", "%s saw %s answered about somebody else, and it goes on", by.name, l)
		}
	}
}
