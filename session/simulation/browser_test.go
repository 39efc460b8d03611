package simulation_test

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// browser is a user's: it signs in, visits, waits, leaves, signs out.
type browser struct {
	w     *world
	n     int
	user  string
	dice  dice
	home  int // the provider it prefers
	login *login
}

// login is one session as its browser knows it, and what the world knows of it.
type login struct {
	browser *browser
	id      string
	cookie  string
	fam     *family

	// Guarded by w.mu.
	mayEnd  string        // why somebody may end it; empty: nobody has a reason
	endedAt time.Duration // when its grant's row was deleted
	deadAt  time.Duration // when its grant was last declared dead
	forcing int           // visits under way that ask for more than what is due
	forced  time.Duration // when the last of them ended
	leave   []context.CancelFunc
}

// swapped is why a session must end whose refresh was answered about somebody else.
const swapped = "somebody else's identity"

func (l *login) String() string {
	if l == nil {
		return "nobody"
	}
	return fmt.Sprintf("%s (%.6s)", l.fam, l.id)
}

func newBrowser(w *world, n int) *browser {
	return &browser{w: w, n: n, user: fmt.Sprintf("user%02d", n), dice: w.dice("browser", n), home: n % len(w.idps)}
}

// live is what a browser does all the hour.
func (b *browser) live() {
	w, d := b.w, b.dice
	for w.wait(d.around(w.style.think)) {
		if d.chance(0.01) && !w.wait(d.between(5*time.Minute, 25*time.Minute)) {
			return
		}
		if b.login == nil || d.chance(0.01) {
			b.signIn(d)
			continue
		}
		b.burst(d)
	}
}

// signIn begins a session; the one that the browser has may end with it.
func (b *browser) signIn(d dice) {
	w := b.w
	r, began := w.replica(d), w.at()
	w.mu.Lock()
	i := w.idps[b.home]
	if d.chance(0.15) {
		i = pick(d, w.idps...)
	}
	fam, answer := i.register(b.user, d)
	cookie := ""
	if b.login != nil {
		cookie = b.login.cookie
		b.login.mayEnd = "signed in again"
	}
	w.note("%s: %s signs in as %s", r.name, b.user, fam)
	w.mu.Unlock()
	req := newRequest(context.Background(), http.MethodGet, "/.auth/login/"+i.name+"/callback", cookie)
	resp := newResponse()
	s, err := r.sessions.Start(resp, req, answer, "")
	if r.dead.Load() {
		b.login = nil
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.note("%s: %s is not signed in: %v", r.name, fam, err)
		b.login = nil
		if w.calm() && !r.froze(w.at()) {
			w.breach("I20", "%s signs %s in: %v", r.name, b.user, err)
		}
		return
	}
	value, _ := resp.setCookie()
	if value == "" || b.login != nil && value == b.login.cookie {
		w.breach("I9", "%s signs %s in without a new cookie", r.name, b.user)
	}
	if b.login != nil && b.login.fam.idp == i {
		b.login.fam.followed = true
	}
	b.login = &login{browser: b, id: s.ID, cookie: value, fam: fam}
	w.ledger.logins[s.ID] = b.login
	w.logins = append(w.logins, b.login)
	for _, m := range w.marks {
		if m.at >= began-3*time.Minute && m.which(b.login) {
			b.login.mayEnd = m.why
		}
	}
	w.note("%s: %s has session %.6s", r.name, fam, s.ID)
}

// burst is what one click of a user causes: requests to whichever replica comes
// first, some at the same time.
func (b *browser) burst(d dice) {
	w, l := b.w, b.login
	n := pick(d, 1, 1, 1, 2, 3, 5)
	done := make(chan bool, n)
	for range n {
		r, vd, wait := w.replica(d), w.dice("visit", d.Int()), d.between(0, 300*time.Millisecond)
		kind := b.kind(d)
		w.mu.Lock()
		if w.closing {
			w.mu.Unlock()
			return
		}
		w.do(func() {
			time.Sleep(wait)
			done <- b.visit(l, kind, r, vd)
		})
		w.mu.Unlock()
	}
	patience := time.NewTimer(25 * time.Second)
	defer patience.Stop()
	for range n {
		select {
		case out := <-done:
			if out && b.login == l {
				b.login = nil
			}
		case <-patience.C:
			return
		}
	}
}

// kind is what a request is for.
func (b *browser) kind(d dice) string {
	switch roll := d.Float64(); {
	case roll < 0.45:
		return "page"
	case roll < 0.60:
		return "strict"
	case roll < 0.74:
		return "audience"
	case roll < 0.82:
		return "api"
	case roll < 0.86:
		return "plain"
	case roll < 0.90:
		return "refresh"
	case roll < 0.94:
		return "me"
	case roll < 0.955:
		return "stream"
	case roll < 0.965:
		return "anonymous"
	case roll < 0.980:
		return "job"
	case roll < 0.992:
		return "logout"
	}
	return pick(d, "everywhere", "elsewhere", "backchannel", "backchannel sid")
}

// replica is the one that a request happens to reach: one that answers, mostly.
func (w *world) replica(d dice) *replica {
	slot := d.IntN(replicaCount)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range replicaCount {
		if r := w.replicas[(slot+i)%replicaCount]; !r.dead.Load() && (r.ice.Load() == nil || d.chance(0.2)) {
			return r
		}
	}
	return w.replicas[slot]
}
