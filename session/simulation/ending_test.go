package simulation_test

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

// endElsewhere ends sessions from without: all of a user, by an administrator or
// by the provider, or the one that the provider names.
func (v *visit) endElsewhere(ctx context.Context) {
	w, l := v.w, v.l
	named := v.kind == "backchannel sid"
	marked := w.mark(v.kind, func(o *login) bool { return o.fam == l.fam || !named && o.sameUser(l) })
	var err error
	user := session.User{Provider: l.fam.idp.name, Issuer: "https://" + l.fam.idp.name + ".example", ID: l.fam.sub}
	switch v.kind {
	case "everywhere":
		_, err = v.r.sessions.EndAll(ctx, user)
	case "backchannel":
		_, err = v.r.sessions.EndNamed(ctx, user.Provider, user.Issuer, user.ID, "")
	default:
		_, err = v.r.sessions.EndNamed(ctx, user.Provider, user.Issuer, "", l.fam.name)
	}
	v.judgeEnded(marked, err)
}

// endOthers ends the user's other sessions.
func (v *visit) endOthers(ctx context.Context, s *session.Session) {
	marked := v.w.mark(v.kind, func(o *login) bool { return o != v.l && o.sameUser(v.l) })
	_, err := v.r.sessions.EndOthers(ctx, s)
	v.judgeEnded(marked, err)
}

func (l *login) sameUser(o *login) bool { return l.fam.idp == o.fam.idp && l.fam.sub == o.fam.sub }

// mark is the wish to end sessions, for those whose sign-in is under way.
type mark struct {
	at    time.Duration
	why   string
	which func(*login) bool
}

// mark notes of sessions that somebody is about to end them.
func (w *world) mark(why string, which func(*login) bool) (marked []*login) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.logins {
		if which(o) {
			o.mayEnd = why
			marked = append(marked, o)
		}
	}
	w.marks = append(w.marks, mark{w.at(), why, which})
	return marked
}

// judgeEnded: what somebody was told is over is over (I8).
func (v *visit) judgeEnded(marked []*login, err error) {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("%s: ends %d sessions of %s (%s): %v", v.r.name, len(marked), v.l, v.kind, err)
	if err != nil || v.r.dead.Load() {
		return
	}
	for _, l := range marked {
		if w.ledger.rows[grantKey(l.id)] != nil && !w.ranOut(l.id) {
			w.breach("I8", "%s says that all is over for %s (%s), and the grant of %s is still there", v.r.name, v.l, v.kind, l)
		}
	}
}

// job uses a user's tokens while nobody is there.
func (v *visit) job(ctx context.Context) {
	w, l := v.w, v.l
	s, err := v.r.sessions.Tokens(ctx, session.User{Provider: l.fam.idp.name, Issuer: "https://" + l.fam.idp.name + ".example", ID: l.fam.sub})
	if err != nil {
		if errors.Is(err, session.ErrNone) {
			w.count("jobs without a session")
		}
		return
	}
	w.mu.Lock()
	other := w.ledger.logins[s.ID]
	if other != nil && !other.sameUser(l) { // nil: its sign-in is not finished
		w.breach("I16", "%s gives a job for %s the session of %s", v.r.name, l, other)
	}
	w.mu.Unlock()
	if other != nil {
		v.l, v.forces = other, false
		other.ask(v, ctx, s)
		v.l = l
	}
}

// ask asks for a token in the name of another session than the visit's own.
func (l *login) ask(v *visit, ctx context.Context, s *session.Session) {
	before := v.grant
	v.grant = nil // it is about another one
	v.token(ctx, s)
	v.grant = before
}

// stream holds a session for as long as it lives, and asks for a token now and
// then.
func (v *visit) stream(ctx context.Context, s *session.Session) {
	w := v.w
	done := s.Done(ctx)
	for range 1 + v.d.IntN(5) {
		next := time.NewTimer(v.d.between(time.Second, 25*time.Second))
		select {
		case <-done:
			v.judgeDone(true)
			next.Stop()
			return
		case <-ctx.Done():
			next.Stop()
			return
		case <-v.r.died:
			next.Stop()
			return
		case <-next.C:
		}
		v.judgeDone(false)
		v.token(ctx, s)
	}
	w.count("streams to their end")
}

// judgeDone: a stream ends when its session does, and not before.
func (v *visit) judgeDone(closed bool) {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case v.r.dead.Load() || v.r.closedAt > 0:
	case closed:
		w.sum.add("streams ended with their sessions")
		if w.ledger.rows[grantKey(v.l.id)] != nil && v.l.mayEnd != swapped && !w.ranOut(v.l.id) {
			w.breach("I6", "%s ends a stream of %s, whose session goes on", v.r.name, v.l)
		}
	case v.l.endedAt > 0 && w.at()-v.l.endedAt > 15*time.Second && w.calm():
		w.breach("I8", "%s keeps a stream of %s open %v after the session ended", v.r.name, v.l, w.at()-v.l.endedAt)
	}
}
