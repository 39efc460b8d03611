package grant

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// This is the protocol of refresh.go as a model that is explored to the last
// state: three processes, two audiences, and every order in which their steps,
// the provider's, the network's and the clock's can happen, with up to two
// faults. Whether a refresh token may be presented is not modelled: the model
// asks the real attempt.admit and attempt.next. The other protocols are what
// applications do today; the model must find what is wrong with each, or it
// would prove nothing about ours.

// protocol is what a process does before it presents a refresh token, and when
// it stores the answer.
type protocol struct {
	name  string
	lease lease
	write write
	wide  bool // ours only: never present again what may be consumed
}

type lease uint8

const (
	noLease   lease = iota
	plainLock       // a lock with a time to live, re-read under it; a lock that ran out is anybody's
	journal         // ours: an attempt in the record
)

type write uint8

const (
	plainWrite  write = iota // last one wins
	ifUnchanged              // if the stored token is the one presented
	ifOwner                  // if the lock is still ours
	ifGen                    // ours: if the generation is the one presented, whoever holds the attempt
)

var (
	nothing       = protocol{name: "none", write: plainWrite}
	casOnly       = protocol{name: "compare-and-swap only", write: ifUnchanged}
	lockPlain     = protocol{name: "lock, plain write", lease: plainLock, write: plainWrite}
	lockFenced    = protocol{name: "lock, write checks the owner", lease: plainLock, write: ifOwner}
	ours          = protocol{name: "ours, one probe", lease: journal, write: ifGen}
	oursNeverWide = protocol{name: "ours, never again", lease: journal, write: ifGen, wide: true}
)

// faults is a set of things that go wrong.
type faults uint8

const (
	crash       faults = 1 << iota // a process is gone
	pause                          // a process is frozen for as long as it likes, and wakes up
	lostRequest                    // never reaches the provider
	lostAnswer                     // the provider acted, nobody hears of it
	storeFault                     // a write fails; whether it took place is open
	busy                           // the provider refuses to look at a request
	logout

	noFault  faults = 0
	anyFault        = crash | pause | lostRequest | lostAnswer | storeFault | busy | logout
)

func (f faults) String() string {
	if f == noFault {
		return "no fault"
	}
	var names []string
	for i, name := range []string{"crash", "pause", "lost request", "lost answer", "store", "busy", "logout"} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// harm is a set of what must not happen.
type harm uint8

const (
	killed      harm = 1 << iota // K: reuse detection ended a login whose living token we had
	killedLost                   // k: it did, and that token was lost already
	dropped                      // L: the only living token was delivered and thrown away
	timeBomb                     // T: the store keeps a consumed token and does not know it
	resurrected                  // Z: an ended login was written back
	stuck                        // S: nothing went wrong, and somebody has no token
)

func (h harm) String() string {
	if h == 0 {
		return "ok"
	}
	var b strings.Builder
	for i, letter := range "KkLTZS" {
		if h&(1<<i) != 0 {
			b.WriteRune(letter)
		}
	}
	return b.String()
}

const (
	processes = 3
	tokens    = 16 // refresh tokens that a run can issue
)

// wants is the audience that each process wants a token for.
var wants = [processes]uint8{0, 0, 1}

// world is everything there is at one moment, as a value to compare.
type world struct {
	// The store.
	version    uint8
	gen        uint8
	rt         uint8
	dead       bool
	ended      bool
	access     [2]uint8 // generation of each audience's access token
	attempt    modelAttempt
	lock, held uint8 // plainLock: 0, or 1 + owner; held: 0 in time, 1 run out

	// The provider.
	issued uint8
	rts    [tokens]tokenState

	procs [processes]proc
	left  uint8  // faults that may still happen
	used  faults // that happened
	harm  harm
}

// modelAttempt is an attempt whose times are told as what they mean to admit.
type modelAttempt struct {
	owner   uint8 // 0: there is none; else 1 + process
	age     age
	probe   bool
	doubted bool // follows one whose outcome is unknown
}

type age uint8

const (
	open        age = iota // the deadline lies ahead
	over                   // the deadline is over, a graced token can still be replayed
	outOfWindow            // it cannot
	quarantined            // nothing of the attempt can be in flight any more
)

type tokenState uint8

const (
	unissued tokenState = iota
	live
	graced // consumed, and good for a replay
	consumed
	revoked
)

type proc struct {
	at       step
	frozen   bool
	slept    bool // was frozen since it looked
	troubled bool // its store failed it: it may outlast its lease
	version  uint8
	gen, rt  uint8 // as presented
	new      uint8 // refresh token in the answer
	wire     wire
}

type step uint8

const (
	idle     step = iota // wants a token
	loaded               // has read the record and will write the lease
	begun                // will send, now
	waiting              // for the answer
	answered             // has a new refresh token, will store it
	refused              // has invalid_grant in hand
	done                 // has what it wanted
	gaveUp               // told its caller to come back or to sign in
	gone                 // crashed
)

// wire is what is under way between a process and the provider.
type wire uint8

const (
	silent  wire = iota
	asking       // a request with proc.rt
	yes          // an answer with proc.new
	refusal      // invalid_grant
)

// model is one run: a protocol against a provider, with some faults allowed.
type model struct {
	protocol
	class   providers.ReplayClass
	allowed faults

	seen  map[world]bool
	found map[harm]faults // each harm, with the faults of one way to it
	trace []string
	how   map[harm][]string
}

func explore(p protocol, class providers.ReplayClass, allowed faults, budget uint8) *model {
	m := &model{protocol: p, class: class, allowed: allowed, seen: map[world]bool{}, found: map[harm]faults{}, how: map[harm][]string{}}
	w := world{issued: 1, left: budget}
	w.rts[0] = live
	m.visit(w)
	return m
}

// visit follows every step that can happen in w, depth first.
func (m *model) visit(w world) {
	if m.seen[w] {
		return
	}
	m.seen[w] = true
	moved := false
	m.steps(w, func(label string, next world) {
		moved = true
		m.trace = append(m.trace, label)
		m.visit(next)
		m.trace = m.trace[:len(m.trace)-1]
	})
	if !moved {
		w.harm |= m.atRest(&w)
	}
	m.note(w)
}

func (m *model) note(w world) {
	for h := killed; h <= stuck; h <<= 1 {
		if w.harm&h == 0 {
			continue
		}
		if _, known := m.found[h]; !known || w.used&pause == 0 && m.found[h]&pause != 0 {
			m.found[h] = w.used
			m.how[h] = append([]string(nil), m.trace...)
		}
	}
}

// harms is what was found along runs that kept within these faults.
func (m *model) harms() (all harm) {
	for h := range m.found {
		all |= h
	}
	return all
}

// atRest judges a world in which nothing can happen any more.
func (m *model) atRest(w *world) (h harm) {
	if w.ended {
		return 0
	}
	if s := w.rts[w.rt]; !w.dead && w.attempt.owner == 0 && (s == consumed || s == revoked) {
		h |= timeBomb
	}
	if w.used == noFault {
		for _, p := range w.procs {
			if p.at != done {
				h |= stuck
			}
		}
	}
	return h
}

// steps calls yield with every world that can follow w.
func (m *model) steps(w world, yield func(string, world)) {
	do := func(label string, change func(*world)) {
		next := w
		change(&next)
		yield(label, next)
	}
	fault := func(kind faults, label string, change func(*world)) {
		if m.allowed&kind != 0 && w.left > 0 {
			do(label, func(n *world) {
				n.left--
				n.used |= kind
				change(n)
			})
		}
	}
	for i := range w.procs {
		m.process(w, i, do, fault)
		m.network(w, i, do, fault)
	}
	m.time(w, do)
	if !w.ended {
		fault(logout, "logout", func(n *world) {
			n.ended, n.attempt, n.version = true, modelAttempt{}, n.version+1
			if n.rts[n.rt] == live || n.rts[n.rt] == graced {
				n.rts[n.rt] = revoked
			}
		})
	}
}

type (
	doer   func(label string, change func(*world))
	faulty func(kind faults, label string, change func(*world))
)

// process is what process i can do next.
func (m *model) process(w world, i int, do doer, fault faulty) {
	p := w.procs[i]
	name := func(what string) string { return fmt.Sprintf("P%d %s", i, what) }
	if p.at == done || p.at == gaveUp || p.at == gone {
		return
	}
	if p.frozen {
		do(name("wakes"), func(n *world) { n.procs[i].frozen = false })
		return
	}
	if p.at != idle {
		fault(crash, name("crashes"), func(n *world) { n.procs[i] = proc{at: gone, rt: p.rt, wire: n.procs[i].wire} })
		fault(pause, name("freezes"), func(n *world) { n.procs[i].frozen, n.procs[i].slept = true, true })
	}
	switch p.at {
	case idle:
		m.look(w, i, name, do)
	case loaded:
		m.begin(w, i, name, do, fault)
	case begun:
		do(name("sends"), func(n *world) { n.procs[i].at, n.procs[i].wire = waiting, asking })
	case waiting:
		if p.wire == silent { // lost
			do(name("times out"), func(n *world) { m.lose(n, i) })
		}
	case answered:
		do(name("stores"), func(n *world) { m.store(n, i) })
		fault(storeFault, name("cannot store"), func(n *world) { n.procs[i].troubled = true })
		fault(storeFault, name("stores, is told it could not"), func(n *world) {
			m.store(n, i)
			if n.procs[i].at == done && n.procs[i].new == n.rt {
				n.procs[i].at, n.procs[i].troubled = answered, true
			}
		})
	case refused:
		do(name("notes the refusal"), func(n *world) { m.bury(n, i) })
	}
}

// look reads the record and draws the conclusion.
func (m *model) look(w world, i int, name func(string) string, do doer) {
	aud := wants[i]
	switch {
	case w.ended || w.dead:
		do(name("sees the end"), func(n *world) { n.procs[i].at = gaveUp })
		return
	case w.access[aud] > 0:
		do(name("finds a token"), func(n *world) { n.procs[i].at = done })
		return
	}
	switch m.lease {
	case plainLock:
		if w.lock != 0 && w.held == 0 {
			return // waits
		}
	case journal:
		switch m.admit(w.attempt) {
		case held:
			return // waits
		case inDoubt:
			if w.attempt.age == quarantined { // no later look will say more
				do(name("is in doubt"), func(n *world) { n.procs[i].at = gaveUp })
			}
			return
		}
	}
	do(name("reads"), func(n *world) {
		q := &n.procs[i]
		q.at, q.version, q.gen, q.rt = loaded, w.version, w.gen, w.rt
	})
}

// begin takes the lease, if the protocol has one.
func (m *model) begin(w world, i int, name func(string) string, do doer, fault faulty) {
	take := func(n *world) {
		q := &n.procs[i]
		q.at = begun
		switch m.lease {
		case plainLock:
			if n.lock != 0 && n.held == 0 {
				*q = proc{}
				return
			}
			n.lock, n.held = uint8(1+i), 0
			if n.ended || n.dead || n.access[wants[i]] > 0 { // looks again under the lock
				*q, n.lock = proc{}, 0
				return
			}
			q.gen, q.rt = n.gen, n.rt
		case journal:
			if n.version != q.version || n.ended {
				*q = proc{}
				return
			}
			if n.version++; q.slept { // takes it, and gives it back
				*q = proc{}
				return
			}
			n.attempt = m.next(n.attempt, i)
		}
	}
	do(name("begins"), take)
	if m.lease == journal {
		fault(storeFault, name("cannot begin"), func(n *world) { n.procs[i].at = gaveUp })
		fault(storeFault, name("begins, is told it could not, and cannot look"), func(n *world) {
			take(n)
			n.procs[i].at = gaveUp
		})
	}
}

// store is what becomes of an answer.
func (m *model) store(n *world, i int) {
	q := &n.procs[i]
	mine := n.lock == uint8(1+i)
	ok := true
	switch m.write {
	case ifUnchanged:
		ok = !n.ended && n.rt == q.rt
	case ifOwner:
		ok = !n.ended && mine && n.held == 0
	case ifGen:
		ok = !n.ended && n.gen == q.gen
	}
	if mine {
		n.lock = 0
	}
	if !ok {
		if n.ended && m.write != ifOwner {
			n.rts[q.new] = revoked // nobody has use for it
		}
		lost := !n.ended && n.rts[q.new] == live
		*q = proc{}
		replayable := n.rts[n.rt] == graced
		if lost && !replayable && !m.living(n) {
			n.harm |= dropped
		}
		return
	}
	if n.ended {
		n.harm |= resurrected
		n.ended = false
	}
	n.rt, n.gen, n.dead, n.attempt = q.new, n.gen+1, false, modelAttempt{}
	n.version++
	n.access[wants[i]] = n.gen
	q.at = done
}

// lose is a call without an answer: the process tells its caller to come back.
func (m *model) lose(n *world, i int) {
	n.procs[i].at = gaveUp
	if n.lock == uint8(1+i) {
		n.lock = 0
	}
	if n.attempt.owner == uint8(1+i) && n.gen == n.procs[i].gen {
		n.attempt.age = max(n.attempt.age, over)
		n.version++
	}
}

// release is a call that certainly consumed nothing. What an earlier one did is
// as unknown as it was.
func (m *model) release(n *world, i int) {
	mine, gen := n.attempt.owner == uint8(1+i), n.procs[i].gen
	n.procs[i] = proc{at: gaveUp}
	if n.lock == uint8(1+i) {
		n.lock = 0
	}
	if !mine || n.gen != gen {
		return
	}
	n.version++
	if left := n.attempt.real(modelNow).withdrawn(modelNow); left != nil {
		n.attempt = modelAttempt{owner: n.attempt.owner, age: max(n.attempt.age, over), probe: left.Probe, doubted: left.Doubted}
		return
	}
	n.attempt = modelAttempt{}
}

// bury is invalid_grant: the login is over, unless somebody was faster.
func (m *model) bury(n *world, i int) {
	p := n.procs[i]
	n.procs[i] = proc{}
	if n.lock == uint8(1+i) {
		n.lock = 0
	}
	if n.ended || n.gen != p.gen || n.rt != p.rt {
		return
	}
	if m.lease == journal && n.attempt.owner != uint8(1+i) {
		return
	}
	n.dead, n.attempt = true, modelAttempt{}
	n.version++
}

// network is what can happen to what process i and the provider send.
func (m *model) network(w world, i int, do doer, fault faulty) {
	p := w.procs[i]
	name := func(what string) string { return fmt.Sprintf("%s P%d", what, i) }
	switch p.wire {
	case asking:
		do(name("provider answers"), func(n *world) { m.present(n, i) })
		fault(lostRequest, name("request lost of"), func(n *world) { n.procs[i].wire = silent })
		if p.at == waiting && !p.frozen {
			fault(busy, name("provider is too busy for"), func(n *world) { m.release(n, i) })
		}
		if p.at == waiting && !p.frozen { // slow: the request still arrives
			fault(lostAnswer, name("patience ends of"), func(n *world) { m.lose(n, i) })
		}
	case yes, refusal:
		if p.at != waiting {
			do(name("nobody hears the answer to"), func(n *world) { n.procs[i].wire, n.procs[i].new = silent, 0 })
			return
		}
		fault(lostAnswer, name("answer lost to"), func(n *world) { n.procs[i].wire, n.procs[i].new = silent, 0 })
		if p.frozen {
			return
		}
		do(name("answer reaches"), func(n *world) {
			q := &n.procs[i]
			q.at = answered
			if p.wire == refusal {
				q.at = refused
			}
			q.wire = silent
		})
	}
}

// present is the token endpoint.
func (m *model) present(n *world, i int) {
	q := &n.procs[i]
	rotate := func() {
		q.new, q.wire = n.issued, yes
		n.rts[n.issued] = live
		n.issued++
	}
	switch state := n.rts[q.rt]; {
	case state == live && m.class == providers.Reusable:
		q.new, q.wire = q.rt, yes
	case state == live:
		n.rts[q.rt] = consumed
		if m.class == providers.Graced {
			n.rts[q.rt] = graced
		}
		rotate()
	case state == graced:
		rotate()
	case state == consumed:
		m.kill(n)
		q.wire = refusal
	default:
		q.wire = refusal
	}
}

// kill is reuse detection: every token of the login dies.
func (m *model) kill(n *world) {
	h := killedLost
	if m.living(n) {
		h = killed
	}
	for k, state := range n.rts {
		if state == live {
			n.harm |= h
		}
		if state != unissued {
			n.rts[k] = revoked
		}
	}
}

// living reports whether anybody has a refresh token that lives: the store, or a
// process that has one in its hands or is about to.
func (m *model) living(n *world) bool {
	if !n.ended && n.rts[n.rt] == live {
		return true
	}
	for _, p := range n.procs {
		if (p.at == answered || p.at == waiting && p.wire == yes) && n.rts[p.new] == live {
			return true
		}
	}
	return false
}

// time lets leases run out, windows close and connections die. It does so only
// as it can: a process that is neither frozen, crashed nor in trouble with its
// store ends its call within its lease, and a connection does not outlive the
// quarantine. A frozen process, though, may send when it wakes.
func (m *model) time(w world, do doer) {
	working := func(owner uint8) bool {
		p := w.procs[owner-1]
		return !p.frozen && !p.troubled && (p.at == begun || p.at == waiting || p.at == answered || p.at == refused)
	}
	inFlight := false // or about to be: a step takes no time
	for _, p := range w.procs {
		inFlight = inFlight || p.wire == asking || !p.frozen && (p.at == loaded || p.at == begun)
	}
	if w.lock != 0 && w.held == 0 && !working(w.lock) {
		do("lock runs out", func(n *world) { n.held = 1 })
	}
	switch a := w.attempt; {
	case a.owner == 0:
	case a.age == open:
		if !working(a.owner) {
			do("lease runs out", func(n *world) { n.attempt.age = over })
		}
	case a.age < quarantined && !inFlight:
		do("time passes", func(n *world) {
			n.attempt.age++
			closeWindows(n)
		})
	}
	if m.lease != journal && !inFlight && m.class == providers.Graced {
		for _, s := range w.rts {
			if s == graced {
				do("window closes", closeWindows)
				break
			}
		}
	}
}

func closeWindows(n *world) {
	if n.attempt.owner != 0 && n.attempt.age < outOfWindow {
		return
	}
	for k, s := range n.rts {
		if s == graced {
			n.rts[k] = consumed
		}
	}
}

// policy is the provider's, as the real code wants to be told it.
func (m *model) policy() providers.RefreshPolicy {
	return providers.RefreshPolicy{Class: m.class, Window: modelWindow, Wide: m.wide}
}

const modelWindow = 30 * time.Second

var modelNow = time.Unix(1e9, 0)

// admit asks the real code.
func (m *model) admit(a modelAttempt) admission { return a.real(modelNow).admit(modelNow, m.policy()) }

// next asks the real code too.
func (m *model) next(a modelAttempt, i int) modelAttempt {
	n := a.real(modelNow).next(modelNow, m.policy())
	return modelAttempt{owner: uint8(1 + i), probe: n.Probe, doubted: n.Doubted}
}

// real is an attempt whose times mean at now what a says; nil for none.
func (a modelAttempt) real(now time.Time) *attempt {
	if a.owner == 0 {
		return nil
	}
	r := &attempt{Doubted: a.doubted, FirstAt: now.Add(-20 * time.Second), Deadline: now.Add(time.Second), Probe: a.probe}
	switch a.age {
	case over:
		r.Deadline = now
	case outOfWindow:
		r.FirstAt, r.Deadline = now.Add(-modelWindow), now.Add(-10*time.Second)
	case quarantined:
		r.FirstAt, r.Deadline = now.Add(-time.Hour), now.Add(-quarantine)
	}
	return r
}

// What each protocol does to a user, by what goes wrong. What is wrong with the
// others is well known from the field; the model has to find it.
func TestModel(t *testing.T) {
	type class = providers.ReplayClass
	const strict, graced, reusable = providers.Strict, providers.Graced, providers.Reusable
	const withoutAnswer = crash | lostRequest | lostAnswer
	// A process that cannot reach its store for as long as the quarantine is to
	// the others what a frozen one is.
	const shut = pause | storeFault
	tests := []struct {
		why      string
		protocol protocol
		class    class
		allowed  faults
		budget   uint8
		must     harm // is found
		may      harm // can be found too
	}{
		{"parallel refreshes end the login, even where nothing goes wrong", nothing, strict, noFault, 0, killed | timeBomb | stuck, 0},
		{"and a slow write brings an ended one back", nothing, strict, logout, 1, killed | resurrected, timeBomb},
		{"a token nobody heard of", nothing, strict, withoutAnswer, 1, killed | killedLost | timeBomb, stuck},
		{"and where tokens are reusable", nothing, reusable, logout, 1, resurrected, timeBomb},

		{"both present before either writes", casOnly, strict, noFault, 0, killed | timeBomb | stuck, 0},
		{"", casOnly, strict, logout, 1, killed, 0},
		{"", casOnly, strict, withoutAnswer, 1, killed | killedLost | timeBomb, stuck},

		{"a lock is enough while nothing goes wrong", lockPlain, strict, noFault, 0, 0, 0},
		{"a lock that runs out under its holder", lockPlain, strict, pause, 1, killed | timeBomb, 0},
		{"the write does not look whether the login ended", lockPlain, strict, logout, 1, resurrected, 0},
		{"a lost answer is forgotten with the lock", lockPlain, strict, withoutAnswer, 1, killedLost | timeBomb, killed},
		{"", lockPlain, graced, withoutAnswer, 1, killedLost | timeBomb, 0},

		{"", lockFenced, strict, noFault, 0, 0, 0},
		{"", lockFenced, strict, logout, 1, 0, 0},
		{"the fence throws the only living token away", lockFenced, strict, pause, 1, dropped | timeBomb, killed | killedLost},
		{"a grace window does not help", lockFenced, graced, pause, 1, dropped | timeBomb, killed | killedLost},
		{"", lockFenced, strict, withoutAnswer, 1, killedLost | timeBomb, killed},

		{"nothing goes wrong", ours, strict, noFault, 0, 0, 0},
		{"a probe can only end what is lost already", ours, strict, anyFault &^ shut, 2, killedLost, 0},
		{"", ours, graced, anyFault &^ shut, 2, killedLost, 0},
		{"but for a holder who comes back after the quarantine", ours, strict, anyFault, 2, killed | killedLost, dropped | timeBomb},
		{"", ours, graced, anyFault, 2, killed | killedLost, dropped | timeBomb},
		{"", ours, reusable, anyFault, 2, 0, 0},

		{"whatever two things go wrong", oursNeverWide, strict, anyFault, 2, 0, 0},
		{"", oursNeverWide, reusable, anyFault, 2, 0, 0},
		{"", oursNeverWide, graced, anyFault &^ shut, 2, 0, 0},
		{"", oursNeverWide, graced, anyFault, 1, 0, 0},
		{"but for two of them that come back late, with a replay in between", oursNeverWide, graced, anyFault, 2, killed | killedLost, dropped | timeBomb},
	}
	states := 0
	for _, test := range tests {
		m := explore(test.protocol, test.class, test.allowed, test.budget)
		found := m.harms()
		states += len(m.seen)
		t.Logf("%-29s %-8s %s, up to %d: %s (%d states)", test.protocol.name, test.class, test.allowed, test.budget, found, len(m.seen))
		if missed := test.must &^ found; missed != 0 {
			t.Errorf("%s: the model does not find %s", test.why, missed)
		}
		for h, way := range m.how {
			if h&^(test.must|test.may) != 0 {
				t.Errorf("%s: %s happens after\n\t%s", test.why, h, strings.Join(way, "\n\t"))
			}
		}
	}
	t.Logf("%d states in all", states)
}
