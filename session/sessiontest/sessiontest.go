// Package sessiontest shows, over a store of one's own, that a session which
// ended stays ended and that no slow request brings old tokens back: with
// several replicas, requests in flight and a provider that forgives nothing.
package sessiontest

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store"
)

// Config says over which store, how often and how fast.
type Config struct {
	// Open returns the store of one replica; behind all of them are the same
	// rows. What it opens it also cleans up.
	Open func() store.Store
	// Rounds is how many users are played through, 16 at a time.
	Rounds int
	// Unit is the grain of time: a second in a synctest bubble, where it costs
	// nothing; a millisecond against a server.
	Unit time.Duration
	// Seed makes a run repeat its choices; 0 draws one. It is logged on failure.
	Seed uint64
}

const (
	replicas = 3
	parallel = 16 // users at a time
)

// rig is an application of several replicas with one store and one provider.
type rig struct {
	t        *testing.T
	unit     time.Duration
	seed     uint64
	op       *strict
	managers []*session.Manager
	raw      store.Store

	mu    sync.Mutex
	ended map[string]int // how often Ended was told, by session
}

func newRig(t *testing.T, c Config) *rig {
	t.Helper()
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	g := &rig{t: t, unit: c.Unit, seed: c.Seed, op: newStrict(c.Unit), raw: c.Open(), ended: make(map[string]int)}
	for range replicas {
		m, err := session.NewManager(session.Config{
			Store:       slow{c.Open(), c.Unit / 5},
			Providers:   []providers.Provider{g.op},
			Lifetime:    60 * c.Unit,
			Grace:       10_000 * c.Unit,
			IdleTimeout: 2000 * c.Unit, // so that requests write, too
			Hooks:       session.Hooks{Ended: g.noteEnd},
			Logger:      slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		g.managers = append(g.managers, m)
	}
	return g
}

// play runs the rounds, several at a time, each with choices of its own.
func (g *rig) play(rounds int, round func(r *rand.Rand, user string)) {
	var work sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range rounds {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			round(rand.New(rand.NewPCG(g.seed, uint64(i))), userName(i))
		})
	}
	work.Wait()
	for _, m := range g.managers {
		if err := m.Close(); err != nil {
			g.t.Error(err)
		}
	}
	if g.t.Failed() {
		g.t.Logf("seed %d", g.seed)
	}
}

// pause lets up to most units of time pass.
func (g *rig) pause(r *rand.Rand, most int) {
	time.Sleep(time.Duration(r.Int64N(int64(most) * int64(g.unit))))
}

func (g *rig) any(r *rand.Rand) *session.Manager { return g.managers[r.IntN(len(g.managers))] }

func (g *rig) noteEnd(_ context.Context, e session.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended[e.SessionID]++
}

func (g *rig) timesEnded(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended[id]
}

// signIn starts a session in a browser with this cookie, "" for none, and
// returns the browser's new cookie.
func (g *rig) signIn(m *session.Manager, user, cookie string) (*session.Session, string) {
	w := httptest.NewRecorder()
	s, err := m.Start(w, request(cookie), g.op.login(user), "")
	if err != nil {
		g.t.Fatalf("%s: sign-in: %v", user, err)
	}
	c := w.Result().Cookies()[0]
	return s, c.Name + "=" + c.Value
}

// rowsOf returns how many rows there are of a session. A mark of one byte may stay
// for a minute, for an answer that is still on its way.
func (g *rig) rowsOf(id string) (n int) {
	rows, err := g.raw.Load(g.t.Context(), "easyauth:{"+id+"}:session", "easyauth:{"+id+"}:grant")
	if err != nil {
		g.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Version != 0 && len(r.Value) > 1 {
			n++
		}
	}
	return n
}

// mayFail fails the test unless err is one that a session which ends, or a
// store that hesitates, gives.
func (g *rig) mayFail(what string, err error) {
	if err != nil && !errors.Is(err, session.ErrNone) && !errors.Is(err, session.ErrUnavailable) {
		g.t.Errorf("%s: %v", what, err)
	}
}

func request(cookie string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}
