package sessiontest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// Rotations lets slow requests span the changes of a refresh token that faster
// ones cause, and write whatever they have to write afterwards, on any replica
// (docs/threats.md G21, G22, R6). However they fall together, the token in the
// store is the one that the provider gave last, none is presented twice, and
// the session goes on.
func Rotations(t *testing.T, c Config) {
	t.Helper()
	g := newRig(t, c)
	var rotated atomic.Int64
	g.play(c.Rounds, func(r *rand.Rand, user string) { rotated.Add(int64(g.rotation(r, user))) })
	t.Logf("%d sessions, %d changes of a refresh token", c.Rounds, rotated.Load())
	if rotated.Load() < int64(c.Rounds) {
		t.Errorf("only %d changes of a refresh token in %d rounds", rotated.Load(), c.Rounds)
	}
}

// rotation plays one user's part and returns how often the refresh token changed.
func (g *rig) rotation(r *rand.Rand, user string) int {
	_, cookie := g.signIn(g.any(r), user, "")
	var (
		work  sync.WaitGroup
		never atomic.Bool
	)
	for range 1 + r.IntN(4) {
		r := rand.New(rand.NewPCG(r.Uint64(), 0))
		work.Go(func() { g.slowVisit(r, user, cookie) })
	}
	for range 3 {
		r := rand.New(rand.NewPCG(r.Uint64(), 0))
		work.Go(func() {
			for range 4 {
				g.pause(r, 40)
				g.visit(r, cookie, func(bool) {}, &never)
			}
		})
	}
	work.Wait()
	return g.wantCurrent(user, cookie)
}

// slowVisit loads the session, sleeps through what the others do, and then
// writes what it may write.
func (g *rig) slowVisit(r *rand.Rand, user, cookie string) {
	ctx, m := context.Background(), g.any(r)
	s, err := m.Load(request(cookie))
	if err != nil {
		g.t.Errorf("%s: slow request: %v", user, err)
		return
	}
	g.pause(r, 200)
	m.Touch(ctx, s)
	switch r.IntN(3) {
	case 0:
		_, err = m.Refresh(ctx, s)
	case 1:
		_, err = s.Token(ctx)
	case 2:
		if s.State() == session.Grace {
			_, err = m.Renew(ctx, s)
		}
	}
	if err != nil && !errors.Is(err, grant.ErrTransient) { // it may have had to wait for too long
		g.t.Errorf("%s: slow request: %v", user, err)
	}
}

// wantCurrent checks that the session's tokens are the provider's latest and
// good, and returns the number of the refresh token.
func (g *rig) wantCurrent(user, cookie string) int {
	ctx := context.Background()
	var f family
	for range 50 { // a renewal behind a request may be under way
		s, err := g.managers[0].Load(request(cookie))
		if err != nil {
			g.t.Errorf("%s: %v", user, err)
			return 0
		}
		tokens, err := s.Tokens(ctx)
		if err != nil {
			g.t.Errorf("%s: %v", user, err)
			return 0
		}
		var current bool
		if current, f = g.op.state(tokens.RefreshToken); current && f.live {
			g.wantRenewable(user, s)
			return f.current
		}
		g.pause(rand.New(rand.NewPCG(g.seed, 1)), 10)
	}
	g.t.Errorf("%s: the store's refresh token is not the provider's latest (live: %v, used twice: %v)", user, f.live, f.reused)
	return f.current
}

// wantRenewable checks that the next renewal works, now or in a moment: at this
// pace a token may be stale before it is stored.
func (g *rig) wantRenewable(user string, s *session.Session) {
	r := rand.New(rand.NewPCG(g.seed, 2))
	for range 50 {
		_, err := g.managers[0].Refresh(context.Background(), s)
		if err == nil {
			return
		}
		if !errors.Is(err, grant.ErrTransient) {
			g.t.Errorf("%s: the next refresh: %v", user, err)
			return
		}
		g.pause(r, 10)
	}
	g.t.Errorf("%s: no refresh works any more", user)
}
