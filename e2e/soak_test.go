package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Everything at once, for as long as EASYAUTH_SOAK_TIME says, half an hour if it
// says nothing: users who come and go, a store and a provider of which one
// operation in twenty goes wrong, and every ten seconds a replica that is killed
// (R19). Nobody is signed out, nobody gets what is another's, who left stays
// out, and the replica that was spared does not grow.
func TestR19Soak(t *testing.T) {
	if !soaking() {
		t.Skip("runs with EASYAUTH_SOAK=1 (make soak)")
	}
	lasting, err := time.ParseDuration(os.Getenv("EASYAUTH_SOAK_TIME"))
	if err != nil {
		lasting = 30 * time.Minute
	}
	t.Parallel()
	onEachStore(t, func(t *testing.T, st *sharedStore) {
		op := startTestProvider(t, providertest.Config{
			AccessTokenLifetime: 5 * time.Second, Rotation: providertest.Graced, GraceWindow: time.Minute,
		})
		f := newFleet(t, st)
		f.Start(op, "-class", "graced", "-window", "1m")
		s := &soak{fleet: f, owner: make(map[string]string)}
		ctx, cancel := context.WithTimeout(t.Context(), lasting)
		defer cancel()

		var living sync.WaitGroup
		for i := range 40 {
			living.Go(func() { s.live(ctx, fmt.Sprintf("user%d", i)) })
		}
		op.flaws.Store(50)
		living.Go(func() { s.disturb(ctx) })
		living.Go(func() { s.kill(ctx) })
		spared := f.replicas[0]
		select {
		case <-ctx.Done():
		case <-time.After(lasting / 2):
		}
		half := spared.Vitals()
		living.Wait()
		op.flaws.Store(0)
		pass(t, 5*time.Second)
		end := spared.Vitals()

		stats := op.Stats()
		t.Logf("%d requests, %d refreshes, %d granted, %d logins, %d kills; goroutines %d then %d, heap %d then %d KiB",
			s.requests.Load(), stats.Refreshes, stats.Refreshed, stats.CodeExchanges, s.kills.Load(),
			half.Goroutines, end.Goroutines, half.Heap>>10, end.Heap>>10)
		if end.Goroutines > half.Goroutines+half.Goroutines/20+20 {
			t.Errorf("%d goroutines, then %d", half.Goroutines, end.Goroutines)
		}
		if end.Heap > half.Heap+half.Heap/20+2<<20 {
			t.Errorf("a heap of %d bytes, then of %d", half.Heap, end.Heap)
		}
		if stats.ReuseDetected != 0 {
			t.Errorf("%d refresh tokens came back too late", stats.ReuseDetected)
		}
	})
}

// soak is what goes on around a fleet.
type soak struct {
	*fleet
	requests, kills atomic.Int64

	mu    sync.Mutex
	owner map[string]string // of a token
}

// live is a user who asks, signs out now and then, and comes back.
func (s *soak) live(ctx context.Context, name string) {
	v := s.Visitor()
	signedIn := false
	for ctx.Err() == nil {
		if !signedIn {
			if signedIn = s.arrive(v, name); !signedIn {
				continue
			}
		}
		i := rand.N(replicas)
		switch p := s.Try(v, i, "/account"); p.Status {
		case http.StatusOK:
			if p.Text != "account of sub-"+name {
				s.t.Errorf("%s is %q", name, p.Text)
			}
		case 0, http.StatusServiceUnavailable:
		default:
			s.t.Errorf("%s: the session is answered %d %s", name, p.Status, p.Text)
			return
		}
		switch p := s.Try(v, i, "/token"); p.Status {
		case http.StatusOK:
			s.own(name, p.Text)
		case 0, http.StatusServiceUnavailable:
		default:
			s.t.Errorf("%s: the token is answered %d %s", name, p.Status, p.Text)
			return
		}
		s.requests.Add(2)
		if rand.N(2000) == 0 {
			s.leave(v, name)
			signedIn = false // even if nobody could say so: it may have happened
		}
	}
}

// arrive signs in, unless a fault is in the way.
func (s *soak) arrive(v *visitor, name string) bool {
	if _, err := v.SignIn(s.URL+"/.auth/login/oidc?post_login_redirect_uri=/", name); err != nil {
		return false
	}
	return s.Try(v, 0, "/account").Status == http.StatusOK
}

// leave signs out, and tries the dead cookie everywhere, unless a fault was in
// the way.
func (s *soak) leave(v *visitor, name string) {
	thief := s.Visitor()
	thief.Rob(v, s.URL)
	if _, err := v.Open(s.URL + "/.auth/logout"); err != nil || len(v.Cookies(s.URL)) > 0 {
		return
	}
	for i := range replicas {
		if p := s.Try(thief, i, "/account"); p.Status == http.StatusOK {
			s.t.Errorf("%s has signed out, and replica %d answers %s", name, i, p.Text)
		}
	}
}

func (s *soak) own(name, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, seen := s.owner[token]; seen && before != name {
		s.t.Errorf("%s has a token of %s", name, before)
	}
	s.owner[token] = name
}

// disturb breaks one replica's way to the store for a twentieth of the time.
func (s *soak) disturb(ctx context.Context) {
	faults := []func(*testserver.Proxy){
		(*testserver.Proxy).Reset, (*testserver.Proxy).HalfOpen, (*testserver.Proxy).LoseAnswers, (*testserver.Proxy).Cut,
		func(p *testserver.Proxy) { p.Delay(20 * time.Millisecond) },
	}
	for ctx.Err() == nil {
		link := s.replicas[rand.N(replicas)].link
		faults[rand.N(len(faults))](link)
		rest(ctx, 50*time.Millisecond)
		link.Heal()
		rest(ctx, 950*time.Millisecond/replicas)
	}
}

// kill kills one of the replicas but the first every ten seconds.
func (s *soak) kill(ctx context.Context) {
	for rest(ctx, 10*time.Second) {
		r := s.replicas[1+rand.N(replicas-1)]
		r.Kill()
		rest(ctx, 500*time.Millisecond)
		r.Start()
		s.kills.Add(1)
	}
}

// rest waits, and reports whether ctx still lives.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
