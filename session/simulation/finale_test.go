package simulation_test

import "time"

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

// judgeSurvivor: a session that is neither over nor bereft of its refresh token
// has a token that lives.
func (w *world) judgeSurvivor(l *login) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.ledger.alive(grantKey(l.id))
	if g == nil || w.ranOut(l.id) {
		return
	}
	if !g.Access[""].usable(w.disk.now()) && g.Dead == "" && g.Attempt != nil && w.at() > w.weather.calmSince+3*time.Minute && !g.Attempt.Probe && !w.policyOf(grantKey(l.id)).Wide {
		w.breach("I19", "%s is left in doubt", l)
	}
	w.sum.add("survivors")
}

// settleAccounts is done when nobody does anything any more: no answer of a
// provider may have got lost (I3).
func (w *world) settleAccounts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.idps {
		for _, f := range i.logins {
			for _, c := range f.calls {
				w.settleCall(c)
			}
		}
	}
	for _, e := range w.ledger.ended {
		if !e.fam.revoked && !e.by.dead.Load() && !e.by.endedInTrouble() && !e.by.endedAfter(e.at) {
			w.breach("I8", "%s ended %s at %v and left its refresh token alive", e.by.name, e.fam, e.at)
		}
	}
}

func (w *world) settleCall(c *call) {
	switch {
	case !c.delivered, c.stored:
	case w.ledger.lastGen[c.key] > c.gen: // another answer was first
		w.sum.add("superseded answers")
	case c.by.dead.Load(): // it crashed with the answer in its hands
	case c.by.endedInTrouble():
	case w.ledger.refresh[c.newest].revoked:
		w.sum.add("newborns revoked")
	default:
		w.breach("I3", "%s was answered for %s at %v, and neither stored nor revoked the answer", c.by.name, c.rt.fam, c.endedAt)
	}
}

// expected is what must have happened in two hundred seeds.
var expected = []string{
	"late winners", "probes", "replays", "superseded answers", "newborns revoked", "crashes", "freezes", "deployments",
	"jumps of the store's clock", "sign-ins revoked by the provider", "reuses seen by a provider", "burials", "survivors",
}
