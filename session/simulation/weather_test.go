package simulation_test

import (
	"slices"
	"time"
)

// weather is what goes wrong. Storms and calm follow each other; in a storm
// every kind of trouble may come up, and when it is over nothing is left of it
// but what it did.
type weather struct {
	storm     bool
	calmSince time.Duration
	spells    []*spell
	deaf      [replicaCount]bool
	traps     []*trap
}

// spell is a trouble that lasts for a while.
type spell struct {
	replica  int // whose way to the store it is; -1: everybody's
	idp      *idp
	until    time.Duration
	store    *storeFault
	provider string // name of a fate
}

// trap is a trouble that waits for a moment in the course of a refresh.
type trap struct {
	place string
	act   string
	long  time.Duration
	n     int
}

// changeWeather lets calm and storm follow each other until the hour is over.
func (w *world) changeWeather() {
	d := w.dice("weather", 0)
	for w.wait(d.between(2*time.Minute, 6*time.Minute)) {
		w.mu.Lock()
		w.weather.storm = true
		w.note("a storm begins")
		w.mu.Unlock()
		end := w.at() + d.between(2*time.Minute, 7*time.Minute)
		for w.at() < end && w.wait(d.around(6*time.Second)) {
			w.trouble(d)
		}
		w.clear()
	}
}

// wait reports false where the hour is over before d has passed.
func (w *world) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// clear ends every trouble. Replicas that are deaf stay so: it costs them a second.
func (w *world) clear() {
	w.mu.Lock()
	x := &w.weather
	x.storm, x.spells, x.traps = false, nil, nil
	x.calmSince = w.at()
	w.note("the storm is over")
	all := w.replicas
	w.mu.Unlock()
	for _, r := range all {
		r.thaw()
	}
}

// calm reports whether all is well, and has been for so long that nothing of the
// last storm can be felt. w.mu is held.
func (w *world) calm() bool {
	const felt = 150 * time.Second // a lease, a quarantine, the longest Retry-After
	x := &w.weather
	return !x.storm && w.at()-x.calmSince > felt
}

func (x *weather) stormy(w *world) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return x.storm
}

var (
	places = []string{"before begin", "after begin", "send", "processed", "answered", "before commit", "after commit",
		"before note", "after note", "before sign-in", "after sign-in", "before end", "after end", "before other write"}
	acts = []string{"crash", "freeze", "freeze", "logout", "logout", "outage", "outage", "crowd", "leave", "jump"}
)

// trouble brings one trouble about.
func (w *world) trouble(d dice) {
	w.mu.Lock()
	x := &w.weather
	slot := d.IntN(replicaCount)
	r, i := w.replicas[slot], pick(d, w.idps...)
	roll := d.Float64()
	switch {
	case roll < 0.40:
		x.traps = append(x.traps, &trap{place: pick(d, places...), act: pick(d, acts...),
			long: d.between(500*time.Millisecond, pick[time.Duration](d, 3, 15, 45, 90)*time.Second), n: d.IntN(1 << 30)})
	case roll < 0.55:
		target := slot
		if d.chance(0.4) {
			target = -1
		}
		x.spells = append(x.spells, &spell{replica: target, until: w.at() + d.around(12*time.Second), store: pick(d, storeFaults...)})
	case roll < 0.70:
		x.spells = append(x.spells, &spell{idp: i, until: w.at() + d.around(pick[time.Duration](d, 10, 10, 40, 240)*time.Second), provider: pick(d, fateNames...)})
	case roll < 0.75:
		x.deaf[slot] = !x.deaf[slot]
	case roll < 0.78:
		w.jump(d)
	case roll < 0.82:
		if len(i.logins) > 0 {
			w.sum.add("sign-ins revoked by the provider")
			pick(d, i.logins...).end("revoked by the provider")
		}
	}
	w.mu.Unlock()
	switch {
	case roll < 0.82:
	case roll < 0.88:
		r.freeze(d.between(time.Second, pick[time.Duration](d, 5, 30, 90)*time.Second))
	case roll < 0.92:
		r.crash(d.between(time.Second, 20*time.Second))
	case roll < 0.95:
		r.retire()
	}
}

// jump lets another server take over as the store, with a clock of its own.
// w.mu is held.
func (w *world) jump(d dice) {
	if !w.style.jumps || w.disk.jumped(w.at()-5*time.Minute) {
		return
	}
	w.disk.ahead = d.between(-30*time.Second, 30*time.Second)
	w.disk.jumpedAt = w.at()
	w.sum.add("jumps of the store's clock")
	w.note("the store's clock is %v ahead", w.disk.ahead)
}

// pass is called where a refresh comes to a place at which a trap may lie.
func (w *world) pass(place string, r *replica, id string) {
	w.mu.Lock()
	x := &w.weather
	n := slices.IndexFunc(x.traps, func(t *trap) bool { return t.place == place })
	if n < 0 || w.closing || r.dead.Load() {
		w.mu.Unlock()
		return
	}
	t := x.traps[n]
	x.traps = slices.Delete(x.traps, n, n+1)
	owner := w.ledger.logins[id]
	w.sum.add("trap: " + t.act)
	w.note("%s: trap %s at %q (%s)", r.name, t.act, place, owner)
	d := w.dice("trap", t.n)
	switch t.act {
	case "jump":
		w.jump(d)
	case "outage":
		x.spells = append(x.spells, &spell{replica: r.slot, until: w.at() + t.long, store: pick(d, storeFaults...)})
	case "logout", "crowd":
		if owner != nil {
			for range map[string]int{"logout": 1, "crowd": 5}[t.act] {
				kind, other, vd := "page", w.replicas[d.IntN(replicaCount)], w.dice("visit", d.Int())
				if t.act == "logout" {
					kind = pick(d, "logout", "logout", "everywhere", "backchannel", "backchannel sid")
				}
				w.do(func() { owner.browser.visit(owner, kind, other, vd) })
			}
		}
	case "leave":
		if owner != nil {
			for _, leave := range owner.leave {
				defer leave()
			}
		}
	}
	w.mu.Unlock()
	switch t.act {
	case "crash":
		r.crash(t.long)
	case "freeze":
		r.freeze(t.long)
	case "logout", "crowd": // they need a moment to get somewhere
		time.Sleep(d.between(0, 20*time.Millisecond))
	}
}

// outage returns what keeps a replica from the store altogether, nil for nothing.
// w.mu is held.
func (x *weather) outage(w *world, r *replica) *spell {
	if s := x.spell(w, r, false); s != nil && (s.store.refuses || s.store.hangs) {
		return s
	}
	return nil
}

// spell returns the trouble that a read, or a write, of a replica meets at the
// store; nil for none. w.mu is held.
func (x *weather) spell(w *world, r *replica, write bool) *spell {
	for _, s := range x.spells {
		if s.store != nil && w.at() < s.until && (s.replica < 0 || s.replica == r.slot) && (write || !s.store.writes) {
			return s
		}
	}
	return nil
}

// deafens reports whether a replica is told of no changes.
func (x *weather) deafens(w *world, r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return x.deaf[r.slot]
}
