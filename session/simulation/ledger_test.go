package simulation_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// row is a record as it rests in the store, opened: of a session or of a grant.
type row struct {
	text string

	// Of a session.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Seen    time.Time `json:"seen"`
	Subject string    `json:"sub"`

	// Of a grant.
	Gen     uint64               `json:"gen"`
	Renewed time.Time            `json:"refreshed"`
	RT      string               `json:"rt"`
	Dead    string               `json:"dead"`
	Attempt *journalled          `json:"attempt"`
	Backoff waiting              `json:"backoff"`
	Access  map[string]accessRow `json:"access"`
	Refused map[string]waiting   `json:"refused"`
}

type journalled struct {
	ID       string    `json:"id"`
	First    time.Time `json:"first"`
	Deadline time.Time `json:"deadline"`
	Probe    bool      `json:"probe"`
}

type waiting struct {
	Until time.Time      `json:"until"`
	N     int            `json:"n"`
	Kind  providers.Kind `json:"kind"`
}

type accessRow struct {
	Token     string    `json:"at"`
	Gen       uint64    `json:"gen"`
	IssuedAt  time.Time `json:"iat"`
	RefreshOn time.Time `json:"refresh"`
	HardOn    time.Time `json:"hard"`
	ExpiresAt time.Time `json:"exp"`
}

// usable reports whether the code may take the token for one that lives.
func (a accessRow) usable(now time.Time) bool {
	return a.Token != "" && (a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt))
}

func (a accessRow) phase(now time.Time) grant.Phase {
	switch {
	case a.Token == "":
		return grant.Missing
	case a.ExpiresAt.IsZero():
		return grant.Unknown
	case !now.Before(a.ExpiresAt):
		return grant.Expired
	case !now.Before(a.HardOn):
		return grant.Hard
	case !now.Before(a.RefreshOn):
		return grant.Aging
	}
	return grant.Fresh
}

func isGrant(key string) bool   { return strings.HasSuffix(key, ":grant") }
func isSession(key string) bool { return strings.HasSuffix(key, ":session") }

// loginOf is the session's id in a key.
func loginOf(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	id, _, _ := strings.Cut(rest, "}")
	return id
}

func grantKey(id string) string   { return "easyauth:{" + id + "}:grant" }
func sessionKey(id string) string { return "easyauth:{" + id + "}:session" }

func readRow(key string, value []byte) *row {
	r := &row{text: string(value)}
	if len(value) > 1 && (isGrant(key) || isSession(key)) {
		if err := json.Unmarshal(value[1:], r); err != nil {
			panic("simulation: the format of " + key + " is not the one that the ledger reads: " + err.Error())
		}
	}
	return r
}

// ends reports whether the row is one that says that there is none any more,
// until it is deleted.
func (r *row) ends(key string) bool {
	return isGrant(key) && r.text == "" || isSession(key) && r.text == "-"
}

// ledger knows every row that the store holds and how it came about, and judges
// each change. Its methods are called with w.mu held, in the instant in which
// the store changes.
type ledger struct {
	rows     map[string]*row
	gone     map[string]bool          // keys of rows that were deleted
	lastGen  map[string]uint64        // of grants, gone ones too
	attempts map[string]*journal      // by attempt id
	keyOf    map[string]string        // of the grant that a refresh token was stored in
	byGrant  map[string][]*journal    // by key
	idOwner  map[string]*login        // by session id, once known
	families map[string]*family       // by key of the grant
	refresh  map[string]*refreshToken // by value: all there ever were
	access   map[string]*token
	ended    []ending
}

// journal is an attempt that was written into a grant's row.
type journal struct {
	id   string
	key  string
	gen  uint64
	rt   string
	by   *replica
	at   time.Duration
	call *call // what it was used for, nil: nothing yet
}

func newLedger() ledger {
	return ledger{
		rows: make(map[string]*row), gone: make(map[string]bool), lastGen: make(map[string]uint64),
		attempts: make(map[string]*journal), keyOf: make(map[string]string), byGrant: make(map[string][]*journal),
		idOwner: make(map[string]*login), families: make(map[string]*family),
		refresh: make(map[string]*refreshToken), access: make(map[string]*token),
	}
}

// alive returns the row of a key, nil where the store shows none.
func (l *ledger) alive(key string) *row { return l.rows[key] }

// placeOf names what a write is in the course of a refresh.
func (w *world) placeOf(key string, next *row) string {
	if !isGrant(key) {
		return "other write"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	prev := w.ledger.rows[key]
	switch {
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

func (l *ledger) saved(w *world, r *replica, key string, next *row) {
	if next.ends(key) {
		l.deleted(w, r, key)
		return
	}
	prev := l.rows[key]
	if prev == nil && l.gone[key] {
		w.breach("I8", "%s writes %s back, which was deleted", r.name, key)
	}
	l.rows[key] = next
	switch {
	case isSession(key):
		l.judgeSession(w, r, key, prev, next)
	case isGrant(key):
		l.lastGen[key] = next.Gen
		if next.RT != "" {
			l.keyOf[next.RT] = key
		}
		if prev == nil {
			if next.Gen != 1 {
				w.breach("I4", "%s begins with generation %d", key, next.Gen)
			}
			l.stored(w, key, next)
			return
		}
		l.judgeGrant(w, r, key, prev, next)
	}
}

// judgeSession: no tokens in it (I11), and a life that only a ceiling bounds.
func (l *ledger) judgeSession(w *world, r *replica, key string, prev, next *row) {
	if strings.Contains(next.text, canary) {
		w.breach("I11", "%s writes a token into %s", r.name, key)
	}
	if prev != nil && (!prev.Created.Equal(next.Created) || prev.Subject != next.Subject) {
		w.breach("I12", "%s makes another session of %s: %s -> %s", r.name, key, prev.text, next.text)
	}
	if a := w.style.absolute; a > 0 && next.Expires.After(next.Created.Add(a)) {
		w.breach("I12", "%s lets %s live past its ceiling", r.name, key)
	}
	justRenewed := prev != nil && prev.Expires.Sub(w.disk.now()) > w.style.lifetime-time.Minute
	if prev != nil && next.Expires.After(prev.Expires.Add(time.Second)) && !justRenewed && !w.vouched(r, loginOf(key), prev.Expires) {
		w.breach("I12", "%s lets %s live on, and the provider has not vouched for it", r.name, key)
	}
}

// vouched reports whether the provider has issued tokens for a session since
// then, or a moment ago.
func (w *world) vouched(r *replica, id string, then time.Time) bool {
	g := w.ledger.alive(grantKey(id))
	if g == nil || r.froze(w.at()-time.Minute) || w.disk.jumped(w.at()-2*time.Minute) {
		return true // and what comes of it is judged elsewhere
	}
	if !g.Renewed.Before(then) || w.disk.now().Sub(g.Renewed) < time.Minute {
		return true
	}
	for _, c := range w.ledger.families[grantKey(id)].calls {
		if c.by == r && c.delivered && !c.stored {
			return true
		}
	}
	return false
}

// stored notes which tokens are in the store now.
func (l *ledger) stored(w *world, key string, next *row) {
	for aud, a := range next.Access {
		if t := w.accessToken(a.Token); t != nil {
			t.stored = true
			l.families[key] = t.fam
			if t.audience != aud {
				w.breach("I16", "%s holds under audience %q a token for %q", key, aud, t.audience)
			}
		} else if a.Token != "" {
			w.breach("I16", "%s holds an access token that nobody issued", key)
		}
	}
}

func (l *ledger) judgeGrant(w *world, r *replica, key string, prev, next *row) {
	switch {
	case next.Gen == prev.Gen+1:
		l.judgeCommit(w, r, key, prev, next)
		return
	case next.Gen != prev.Gen:
		w.breach("I4", "%s takes %s from generation %d to %d", r.name, key, prev.Gen, next.Gen)
		return
	}
	if next.RT != prev.RT && next.Dead == "" {
		w.breach("I6", "%s changes the refresh token of %s within generation %d", r.name, key, prev.Gen)
	}
	if next.Dead != "" && prev.Dead == "" {
		l.judgeBurial(w, r, key, prev, next)
	} else if len(next.Access) < len(prev.Access) {
		w.breach("I6", "%s takes access tokens out of %s", r.name, key)
	}
	switch {
	case next.Attempt == nil && prev.Attempt == nil:
	case next.Attempt == nil, prev.Attempt != nil && prev.Attempt.ID != next.Attempt.ID && l.attempts[next.Attempt.ID] != nil:
		l.judgeRelease(w, r, key, prev, next)
	case prev.Attempt == nil || prev.Attempt.ID != next.Attempt.ID:
		l.judgeBegin(w, r, key, prev, next)
	case w.disk.jumped(w.at() - 2*time.Minute): // and what it was dated by is put right
	case next.Attempt.Deadline.After(prev.Attempt.Deadline) && next.Attempt.Deadline.After(w.disk.now()):
		w.breach("I1", "%s extends the attempt of %s", r.name, key)
	case next.Attempt.Deadline.Before(prev.Attempt.Deadline):
		if j := l.attempts[prev.Attempt.ID]; j == nil || j.by != r {
			w.breach("I1", "%s gives up an attempt of %s that is not its own", r.name, key)
		}
	}
}

// leaseLimit is the longest that an attempt may be respected: one call and a
// margin (E6).
const leaseLimit = 20 * time.Second

// quarantine is how long after an attempt its request may still be on its way.
const quarantine = 30 * time.Second

// judgeBegin looks at a lease that is taken: may the token be presented now?
func (l *ledger) judgeBegin(w *world, r *replica, key string, prev, next *row) {
	now := w.disk.now()
	j := &journal{id: next.Attempt.ID, key: key, gen: prev.Gen, rt: prev.RT, by: r, at: w.at()}
	l.attempts[j.id] = j
	l.byGrant[key] = append(l.byGrant[key], j)
	w.sum.add("attempts")
	w.note("%s: attempt %.4s on %.6s generation %d%s", r.name, j.id, loginOf(key), prev.Gen, map[bool]string{true: ", a probe"}[next.Attempt.Probe])
	if next.Attempt.Probe {
		w.sum.add("probes")
	}
	if limit := next.Attempt.Deadline.Sub(now); limit > leaseLimit+opLimit && !w.disk.jumped(w.at()-time.Minute) {
		w.breach("I19", "%s takes a lease of %v on %s", r.name, limit, key)
	}
	if w.disk.jumped(w.at()-2*time.Second) || r.froze(w.at()-2*time.Second) {
		return // it looked at another clock, or long ago; whether it presents is judged there
	}
	if prev.Dead != "" || prev.RT == "" {
		w.breach("I4", "%s wants to present a refresh token of %s, which has none", r.name, key)
	}
	if now.Before(prev.Backoff.Until) && !w.disk.jumped(w.at()-100*time.Second) { // one of a clock that was set back is not believed
		w.breach("I14", "%s begins on %s %v before its back-off is over", r.name, key, prev.Backoff.Until.Sub(now))
	}
	if a := prev.Attempt; a != nil {
		policy := w.policyOf(key)
		switch {
		case now.Before(a.Deadline):
			w.breach("I1", "%s begins on %s while another attempt has %v left", r.name, key, a.Deadline.Sub(now))
		case policy.lenient:
		case policy.Class == providers.Reusable:
		case policy.Class == providers.Graced && now.Before(a.First.Add(policy.Window)):
		case policy.Wide:
			w.breach("I1", "%s begins on %s again, where that can end other sign-ins", r.name, key)
		case a.Probe:
			w.breach("I19", "%s probes %s a second time", r.name, key)
		case now.Before(a.Deadline.Add(quarantine)):
			w.breach("I1", "%s probes %s only %v after the last attempt", r.name, key, now.Sub(a.Deadline))
		}
	}
	l.judgeNeed(w, r, key, prev, now)
}

// judgeNeed: nobody refreshes what is fresh, unless somebody asked for it. The
// moment at which a token ages is stored with it, so every look at it agrees.
func (l *ledger) judgeNeed(w *world, r *replica, key string, prev *row, now time.Time) {
	owner := l.idOwner[loginOf(key)]
	if owner == nil || owner.forcing > 0 || r.froze(w.at()-2*time.Minute) || w.at()-owner.forced < time.Minute && owner.forced > 0 {
		return
	}
	for _, a := range prev.Access {
		if p := a.phase(now); p != grant.Fresh && p != grant.Unknown || a.IssuedAt.After(now) {
			return // due, or dated by a clock that was set back since
		}
	}
	if prev.Access[""].Token != "" {
		w.breach("I14", "%s refreshes %s, all of whose tokens are fresh: now %v of %v", r.name, key, now, prev.Access)
	}
}

// judgeCommit looks at an answer that is stored.
func (l *ledger) judgeCommit(w *world, r *replica, key string, prev, next *row) {
	var brought *token
	for aud, a := range next.Access {
		was := prev.Access[aud]
		if a.Token == was.Token {
			continue
		}
		t := w.accessToken(a.Token)
		switch {
		case t == nil:
			w.breach("I16", "%s stores an access token in %s that nobody issued", r.name, key)
			return
		case t.stored: // it was taken out when the grant was declared dead, and comes back with a late answer
			continue
		case brought != nil:
			w.breach("I16", "%s changes two audiences of %s at once", r.name, key)
		case t.audience != aud:
			w.breach("I16", "%s stores a token for %q in %s under %q", r.name, t.audience, key, aud)
		}
		brought = t
	}
	if brought == nil || brought.call == nil {
		w.breach("I4", "%s commits a generation of %s that no refresh brought", r.name, key)
		return
	}
	c := brought.call
	switch {
	case c.by != r:
		w.breach("I3", "%s commits to %s what %s was answered", r.name, key, c.by.name)
	case c.key != key:
		w.breach("I16", "%s commits to %s an answer for %s", r.name, key, c.key)
	case c.gen != prev.Gen:
		w.breach("I4", "%s commits to %s, which is at generation %d, the answer to generation %d", r.name, key, prev.Gen, c.gen)
	case prev.Dead != "" && c.rt.fam.idp.manner == silent: // there is no refresh token left, and none came
	case next.RT != c.newest:
		w.breach("I3", "%s commits to %s another refresh token than it was answered", r.name, key)
	case next.Attempt != nil || next.Dead != "":
		w.breach("I4", "%s leaves an attempt or a death in %s with a new generation", r.name, key)
	}
	if prev.Attempt == nil || prev.Attempt.ID != c.attempt {
		w.sum.add("late winners")
	}
	if a := next.Access[c.audience]; !a.RefreshOn.IsZero() && w.at()-c.sentAt < brought.life/4 && !w.disk.jumped(c.begunAt-5*time.Second) &&
		!w.disk.now().Before(a.RefreshOn) {
		w.breach("I15", "%s stores in %s a token that is stale already", r.name, key)
	}
	c.stored, c.storedAt = true, w.at()
	l.stored(w, key, next)
	w.sum.add("commits")
	w.note("%s: commit of %.6s generation %d", r.name, loginOf(key), next.Gen)
}

// judgeBurial looks at a grant that is declared dead.
func (l *ledger) judgeBurial(w *world, r *replica, key string, prev, next *row) {
	w.sum.add("burials")
	w.note("%s: %.6s is dead: %s", r.name, loginOf(key), next.Dead)
	if owner := l.idOwner[loginOf(key)]; owner != nil {
		owner.deadAt = w.at()
	}
	if prev.Attempt == nil {
		w.breach("I5", "%s buries %s without an attempt", r.name, key)
		return
	}
	j := l.attempts[prev.Attempt.ID]
	switch {
	case j == nil || j.by != r:
		w.breach("I5", "%s buries %s while the attempt of another is open", r.name, key)
	case j.call == nil || j.call.rt.value != prev.RT || j.gen != prev.Gen:
		w.breach("I5", "%s buries %s, whose refresh token was not refused", r.name, key)
	case j.call.told != providers.Revoked && j.call.told != providers.Interaction:
		w.breach("I6", "%s buries %s for %q, which ends nothing", r.name, key, j.call.told)
	}
	if next.Dead != "revoked" && len(next.Access) < len(prev.Access) {
		w.breach("I7", "%s takes tokens that live out of %s", r.name, key)
	}
}

// judgeRelease looks at an attempt that is taken back: it must not have been
// able to use the token up.
func (l *ledger) judgeRelease(w *world, r *replica, key string, prev, next *row) {
	j := l.attempts[prev.Attempt.ID]
	if j == nil || j.by != r {
		w.breach("I1", "%s takes back an attempt on %s that is not its own", r.name, key)
		return
	}
	if next.Dead != "" {
		return // judged as a burial
	}
	c := j.call
	if c == nil {
		return // not presented
	}
	harmless := w.policyOf(key).Class == providers.Reusable
	switch c.told {
	case providers.Unknown:
		w.breach("I3", "%s takes back the attempt on %s whose answer was lost", r.name, key)
	case providers.Gateway:
		if !harmless && !w.policyOf(key).lenient {
			w.breach("I3", "%s takes back the attempt on %s whose answer a gateway may have swallowed", r.name, key)
		}
	case providers.Busy:
		if until := w.disk.now().Add(c.retryAfter - 6*time.Second); next.Backoff.Until.Before(until) && !w.disk.jumped(w.at()-5*time.Second) && !r.froze(c.endedAt) {
			w.breach("I14", "%s comes back to %s before the %v that the provider asked for", r.name, key, c.retryAfter)
		}
	}
}

func (l *ledger) deleted(w *world, r *replica, key string) {
	prev := l.rows[key]
	if prev == nil {
		return
	}
	delete(l.rows, key)
	l.gone[key] = true
	if !isGrant(key) {
		return
	}
	w.note("%s: deletes %.6s", r.name, loginOf(key))
	owner := l.idOwner[loginOf(key)]
	switch {
	case owner == nil: // a sign-in that failed
	case owner.mayEnd != "":
	case prev.Dead != "", w.ranOut(owner.id):
	case w.at()-owner.deadAt < 5*time.Second && owner.deadAt > 0: // and a late answer made it live again just now
	default:
		w.breach("I6", "%s ends the session of %s, and nobody wanted that", r.name, owner)
	}
	if owner != nil {
		owner.endedAt = w.at()
		// A write that was given up and arrives all the same ends a session of
		// which its process believes that it goes on.
		then := w.at() - 5*time.Second
		if prev.RT != "" && prev.Dead == "" && r.storeTrouble < then && !r.froze(then) {
			l.ended = append(l.ended, ending{l.families[key], r, w.at()})
		}
	}
}

// ending is the end of a grant whose refresh token has to be revoked.
type ending struct {
	fam *family
	by  *replica
	at  time.Duration
}

// mayEnd notes why a session may end.
func (l *ledger) mayEnd(key, why string) {
	if owner := l.idOwner[loginOf(key)]; owner != nil {
		owner.mayEnd = why
	}
}

// past reports whether a session is past its time.
func (w *world) past(s *row, now time.Time) bool {
	st := w.style
	switch {
	case st.absolute > 0 && now.After(s.Created.Add(st.absolute)):
		return true
	case st.idle > 0 && now.After(s.Seen.Add(st.idle)):
		return true
	}
	return now.After(s.Expires.Add(max(st.grace, 0)))
}

// ranOut reports whether a session is gone or past its time, give or take a
// minute for the jumps of the store's clock and the time that requests take.
func (w *world) ranOut(id string) bool {
	s := w.ledger.alive(sessionKey(id))
	return s == nil || w.past(s, w.disk.now().Add(time.Minute))
}
