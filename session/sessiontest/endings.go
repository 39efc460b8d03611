package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goeasyauth/easyauth/session"
)

// Endings ends sessions in the middle of their requests: 1 to 50 of them, on any
// replica, that load, renew, refresh and write, while somebody signs out, signs
// in anew, or is signed out by an administrator or by the provider (docs/threats.md
// SES3, SES4, R5). However they fall together, nothing of the session is left in
// the store, no replica knows it any more, no request that began afterwards gets
// its cookie, the end was told once, and no refresh token of the login lives,
// unless its user signed in anew.
//
// It returns how many answers carried the cookie of a dead session because they
// were on their way when it died. In a bubble, where a reading of the store is
// acted upon at the moment when it is true, there are none.
func Endings(t *testing.T, c Config) (late int) {
	t.Helper()
	g := newRig(t, c)
	var cookies atomic.Int64
	g.play(c.Rounds, func(r *rand.Rand, user string) { cookies.Add(g.ending(r, user)) })
	if names := g.op.alive(); len(names) > 0 {
		t.Errorf("%d logins live at the provider after their sessions ended: %.3q", len(names), names)
	}
	late = int(cookies.Load())
	t.Logf("%d sessions ended, %d cookies on answers that were on their way", c.Rounds, late)
	return late
}

// ending plays one user's part and returns how many cookies were sent after the
// end.
func (g *rig) ending(r *rand.Rand, user string) int64 {
	s, cookie := g.signIn(g.any(r), user, "")
	g.pause(r, 200)
	var (
		work sync.WaitGroup
		over atomic.Bool
		late atomic.Int64
	)
	for range 1 + r.IntN(50) {
		r := rand.New(rand.NewPCG(r.Uint64(), 0))
		work.Go(func() {
			g.pause(r, 12)
			g.visit(r, cookie, func(began bool) {
				if began {
					g.t.Errorf("%s: a request that began after the end got the cookie of the dead session", user)
				}
				if over.Load() {
					late.Add(1)
				}
			}, &over)
		})
	}
	g.pause(r, 12)
	if err := g.end(r, s, cookie, user); err != nil {
		g.t.Errorf("%s: %v", user, err)
	}
	over.Store(true)
	g.wantGone(user, s, cookie)
	work.Wait()
	g.wantGone(user, s, cookie)
	return late.Load()
}

// visit is one request, as the middleware and the routes treat it.
func (g *rig) visit(r *rand.Rand, cookie string, cookieSent func(began bool), over *atomic.Bool) {
	ctx, m, w := context.Background(), g.any(r), httptest.NewRecorder()
	began := over.Load()
	send := func(s *session.Session) {
		m.WriteCookie(w, s)
		cookieSent(began)
	}
	s, err := m.Load(request(cookie))
	if err != nil {
		g.mayFail("load", err)
		return
	}
	if s.State() == session.Grace {
		if s, err = m.Renew(ctx, s); err != nil {
			g.mayFail("renew", err)
			return
		}
		send(s)
	} else if err := m.KeepFresh(ctx, s); err != nil {
		g.mayFail("keep fresh", err)
		return
	}
	m.Touch(ctx, s)
	g.pause(r, 5)
	switch r.IntN(3) {
	case 0:
		if s, err := m.Refresh(ctx, s); err == nil {
			send(s)
		}
	case 1:
		s.Token(ctx)
	}
}

// end ends the session in one of the ways there are.
func (g *rig) end(r *rand.Rand, s *session.Session, cookie, user string) error {
	ctx, m := context.Background(), g.any(r)
	atMostOne := func(n int, err error) error {
		if n > 1 {
			return errors.Join(err, fmt.Errorf("%d sessions ended instead of one", n))
		}
		return err
	}
	switch r.IntN(5) {
	case 0:
		return atMostOne(m.EndAll(ctx, s.User))
	case 1:
		return atMostOne(m.EndNamed(ctx, providerName, issuer, "", sid(user)))
	case 2:
		return m.EndSession(ctx, s.ID)
	case 3: // in the same browser; and out again
		again, _ := g.signIn(m, user, cookie)
		return m.End(ctx, again)
	}
	loaded, err := m.Load(request(cookie))
	if err != nil {
		return err
	}
	return m.End(ctx, loaded)
}

// wantGone checks that nothing of the session is left anywhere.
func (g *rig) wantGone(user string, s *session.Session, cookie string) {
	if n := g.rowsOf(s.ID); n > 0 {
		g.t.Errorf("%s: %d rows of an ended session", user, n)
	}
	for i, m := range g.managers {
		if _, err := m.Load(request(cookie)); !errors.Is(err, session.ErrNone) {
			g.t.Errorf("%s: replica %d loads an ended session: %v", user, i, err)
		}
	}
	if n := g.timesEnded(s.ID); n != 1 {
		g.t.Errorf("%s: the end was told %d times", user, n)
	}
}
