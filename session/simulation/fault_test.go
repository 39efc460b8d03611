package simulation_test

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

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
	if s := x.spell(w, r, write); s != nil {
		w.sum.add("store: " + s.store.name)
		return s.store
	}
	if d.chance(w.style.noise / 10) {
		if f := pick(d, storeFaults...); write || !f.writes {
			w.sum.add("store: " + f.name)
			return f
		}
	}
	return nil
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

// answer is what is answered instead of what the provider says; nil: nothing.
func (f fate) answer() *providers.Error {
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
