package simulation_test

import (
	"slices"
	"time"

	"github.com/goeasyauth/easyauth/providers"
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
	owner := w.ledger.idOwner[id]
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
				w.work.Go(func() { owner.browser.visit(owner, kind, other, vd) })
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

// storeFault is a way in which the store, or the way to it, fails.
type storeFault struct {
	name    string
	writes  bool // only writes
	refuses bool
	hangs   bool
	loses   bool // the answers to writes
	slow    time.Duration
}

var storeFaults = []*storeFault{
	{name: "down", refuses: true},
	{name: "read-only", refuses: true, writes: true},
	{name: "hangs", hangs: true},
	{name: "loses answers", loses: true, writes: true},
	{name: "slow", slow: 600 * time.Millisecond},
}

// storeFault says what becomes of one operation.
func (x *weather) storeFault(w *world, r *replica, op string, d dice) *storeFault {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !x.storm {
		return nil
	}
	write := op == "save" || op == "delete"
	for _, s := range x.spells {
		if s.store != nil && w.at() < s.until && (s.replica < 0 || s.replica == r.slot) && (write || !s.store.writes) {
			w.sum.add("store: " + s.store.name)
			return s.store
		}
	}
	if d.chance(w.style.noise / 10) {
		if f := pick(d, storeFaults...); write || !f.writes {
			w.sum.add("store: " + f.name)
			return f
		}
	}
	return nil
}

func (x *weather) deafens(w *world, r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return x.deaf[r.slot]
}

// fate is what becomes of one call to a provider.
type fate struct {
	name        string
	there, back time.Duration
	arrives     bool             // the provider sees the request
	works       bool             // it does what it is asked for, whatever it answers
	refusal     *providers.Error // what is answered; nil: what the provider says
	loses       bool             // the answer does not come back
	swaps       bool             // the ID token is about somebody else
	breaks      time.Duration    // the connection breaks by then; 0: it does not
	kind        providers.Kind   // how that looks
	retryAfter  time.Duration
}

func (f fate) answer(*idp) *providers.Error {
	if f.refusal == nil {
		return nil
	}
	e := *f.refusal
	return &e
}

var fateNames = []string{"slow", "not sent", "not ready", "busy", "overloaded", "gateway", "gateway hides success",
	"request lost", "request late", "answer lost", "answer lost silently", "unreadable", "misconfigured", "interaction", "swapped"}

// providerFate says what becomes of one call.
func (x *weather) providerFate(w *world, i *idp, d dice) fate {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := fate{name: "fine", arrives: true, there: d.between(5*time.Millisecond, 200*time.Millisecond),
		back: d.between(5*time.Millisecond, 200*time.Millisecond)}
	if !x.storm {
		return f
	}
	for _, s := range x.spells {
		if s.idp == i && w.at() < s.until {
			f.name = s.provider
		}
	}
	if d.chance(w.style.noise) {
		f.name = pick(d, fateNames...)
	}
	refuse := func(kind providers.Kind, status int) {
		f.refusal = &providers.Error{Provider: i.name, Op: "refresh", Kind: kind, Status: status}
	}
	switch f.name {
	case "slow":
		f.there, f.back = d.between(0, 10*time.Second), d.between(0, 8*time.Second)
	case "not sent":
		f.arrives, f.breaks, f.kind = false, d.between(time.Millisecond, 2*time.Second), providers.NotSent
	case "not ready":
		f.arrives, f.breaks, f.kind = false, d.between(time.Millisecond, 2*time.Second), providers.Unready
	case "busy":
		refuse(providers.Busy, 429)
		f.refusal.RetryAfter = d.between(0, 90*time.Second)
	case "overloaded":
		refuse(providers.Busy, 503)
	case "gateway":
		refuse(providers.Gateway, 502)
	case "gateway hides success":
		refuse(providers.Gateway, 504)
		f.works = true
	case "request lost":
		f.arrives, f.breaks, f.kind = false, d.between(10*time.Millisecond, 20*time.Second), providers.Unknown
	case "request late":
		f.there = d.between(14*time.Second, 40*time.Second)
	case "answer lost":
		f.loses, f.breaks, f.kind = true, f.there+d.between(0, 15*time.Second), providers.Unknown
	case "answer lost silently":
		f.loses = true
	case "unreadable":
		refuse(providers.Unknown, 200)
		f.works = true
	case "misconfigured":
		refuse(providers.Misconfigured, 400)
	case "interaction":
		if d.chance(0.2) {
			refuse(providers.Interaction, 400)
		}
	case "swapped":
		f.swaps = d.chance(0.2)
	}
	return f
}
