package session_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// blind is a store that can search but not watch.
type blind struct {
	store.Store
	index store.TagIndex
}

func (b blind) Tagged(ctx context.Context, tag string) ([]string, error) {
	return b.index.Tagged(ctx, tag)
}

// replica is another process of the same application.
func (h *house) replica(change func(*session.Config)) *session.Manager {
	h.t.Helper()
	cfg := session.Config{Store: h.rows, Providers: []providers.Provider{h.op}}
	if change != nil {
		change(&cfg)
	}
	m, err := session.NewManager(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { m.Close() })
	return m
}

func closed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestSES13StreamLearnsOfTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(h *house, elsewhere *session.Manager, r *http.Request)
	}{
		{"logout here", func(h *house, _ *session.Manager, r *http.Request) { h.End(h.t.Context(), h.load(r)) }},
		{"logout at another replica", func(h *house, elsewhere *session.Manager, r *http.Request) {
			s, err := elsewhere.Load(r)
			if err != nil {
				h.t.Fatal(err)
			}
			elsewhere.End(h.t.Context(), s)
		}},
		{"an administrator", func(h *house, elsewhere *session.Manager, r *http.Request) {
			elsewhere.EndSession(h.t.Context(), h.load(r).ID)
		}},
		{"everywhere", func(h *house, elsewhere *session.Manager, _ *http.Request) {
			elsewhere.EndAll(h.t.Context(), user("alice"))
		}},
		{"the provider told", func(h *house, elsewhere *session.Manager, _ *http.Request) {
			elsewhere.EndNamed(h.t.Context(), "op", "https://op.example", "", "one")
		}},
		{"the provider refuses to renew", func(h *house, elsewhere *session.Manager, r *http.Request) {
			time.Sleep(8 * time.Hour)
			h.op.refuse = revoked
			if s, err := elsewhere.Load(r); err == nil {
				elsewhere.Renew(h.t.Context(), s)
			}
		}},
		{"somebody else's identity", func(h *house, elsewhere *session.Manager, r *http.Request) {
			h.op.verify = &providers.Error{Kind: providers.Mismatch}
			if s, err := elsewhere.Load(r); err == nil {
				elsewhere.Refresh(h.t.Context(), s)
			}
		}},
	} {
		for _, watch := range []bool{true, false} {
			name, within := tt.name, time.Duration(0)
			if !watch {
				name, within = name+", store without watching", 10*time.Second
			}
			t.Run(name, func(t *testing.T) {
				change := func(c *session.Config) {
					if !watch {
						c.Store = blind{c.Store, c.Store.(store.TagIndex)}
					}
				}
				story(t, change, func(t *testing.T, h *house) {
					elsewhere := h.replica(nil)
					r := h.browserOf("alice", "one")
					done := h.load(r).Done(t.Context())
					other := h.load(h.browserOf("bob", "two")).Done(t.Context())
					time.Sleep(time.Minute)
					if closed(done) {
						t.Fatal("closed while the session lives")
					}
					tt.end(h, elsewhere, r)
					time.Sleep(within)
					if !closed(done) {
						t.Errorf("the stream knows nothing after %v", within)
					}
					if closed(other) {
						t.Error("somebody else's stream ended")
					}
				})
			})
		}
	}
}

func TestSES13StreamEndsWithTheTimeOfItsSession(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*session.Config)
		after  time.Duration
	}{
		{"grace period", nil, 80 * time.Hour},
		{"absolute lifetime", func(c *session.Config) { c.AbsoluteLifetime = 9 * time.Hour }, 9 * time.Hour},
		{"idle timeout", func(c *session.Config) { c.IdleTimeout = time.Hour }, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, tt.change, func(t *testing.T, h *house) {
				done := h.load(h.browserOf("alice", "one")).Done(t.Context())
				time.Sleep(tt.after - time.Second)
				if closed(done) {
					t.Fatal("closed before its time")
				}
				time.Sleep(11 * time.Second)
				if !closed(done) {
					t.Error("open past its time")
				}
			})
		})
	}
}

func TestStoreOutageEndsNoStream(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		done := h.load(r).Done(t.Context())
		synctest.Wait()
		for _, outage := range []func(){func() { h.fault.Fail(errors.New("connection refused")) }, h.fault.Hang} {
			outage()
			time.Sleep(5 * time.Minute)
			if closed(done) {
				t.Fatal("a store that is down ended the stream")
			}
			h.fault.Heal()
		}
		elsewhere := h.replica(nil)
		elsewhere.EndAll(t.Context(), user("alice"))
		time.Sleep(10 * time.Second)
		if !closed(done) {
			t.Error("the stream knows nothing after the outage")
		}
	})
}

// A stream that begins while the store cannot watch is told by the next look.
func TestWatchingIsTriedAgain(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.browserOf("alice", "one"))
		h.fault.Fail(errors.New("connection refused"))
		done := s.Done(t.Context())
		synctest.Wait()
		h.fault.Heal()
		time.Sleep(11 * time.Second)
		h.replica(nil).EndAll(t.Context(), user("alice"))
		if !closed(done) {
			t.Error("not watched again")
		}
	})
}

func TestSessionThatEndedBeforeTheStreamBegan(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.browserOf("alice", "one"))
		h.replica(nil).EndAll(t.Context(), user("alice"))
		if !closed(s.Done(t.Context())) {
			t.Error("the stream waits for what has been")
		}
	})
}

func TestClientThatLeavesEndsItsWatchAndNoOther(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.browserOf("alice", "one"))
		before := runtime.NumGoroutine()
		ctx, leave := context.WithCancel(t.Context())
		gone, stays := s.Done(ctx), s.Done(t.Context())
		for range 100 { // as in a loop around select
			s.Done(ctx)
		}
		leave()
		synctest.Wait()
		if closed(gone) {
			t.Error("who left was told that the session ended")
		}
		h.End(t.Context(), s)
		if !closed(stays) {
			t.Error("who stayed was told nothing")
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		ctx, leave = context.WithCancel(t.Context())
		last := h.load(h.browserOf("alice", "two"))
		last.Done(ctx)
		synctest.Wait()
		leave()
		synctest.Wait()
		h.count.Reset()
		time.Sleep(time.Minute)
		if n := h.count.Counts(); n.Loads != 0 || runtime.NumGoroutine() > before {
			t.Errorf("%+v with nobody watching, %d goroutines", n, runtime.NumGoroutine())
		}
	})
}

func TestManagerThatClosesEndsNoSession(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		m := h.replica(nil)
		s, err := m.Load(h.browserOf("alice", "one"))
		if err != nil {
			t.Fatal(err)
		}
		done := s.Done(t.Context())
		m.Close()
		if closed(done) || closed(s.Done(t.Context())) {
			t.Error("a process that ends told its streams that their session did")
		}
	})
}

func TestSessionMadeByHandNeverEnds(t *testing.T) {
	if done := new(session.Session).Done(t.Context()); done != nil {
		t.Error("a channel that somebody would have to close")
	}
}

// A thousand open streams of a thousand users cost a handful of reads every ten
// seconds, whatever the store tells.
func TestCostOfOpenStreams(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		const streams = 1000
		sessions := make([]*session.Session, streams)
		for i := range sessions {
			sessions[i] = h.load(h.browserOf("user-"+strings.Repeat("x", i%7)+string(rune('a'+i%26)), "one"))
		}
		h.count.Reset()
		for _, s := range sessions {
			for range 5 { // tabs of one browser
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				s.Done(ctx)
			}
		}
		synctest.Wait()
		if n := h.count.Reset(); n.Watches != streams || n.Keys > 2*streams+2 || n.Loads > streams {
			t.Errorf("to begin them: %+v", n)
		} else {
			t.Logf("to begin them: %+v", n)
		}
		time.Sleep(10 * time.Minute)
		n := h.count.Reset()
		if n.Loads > 60*8 || n.Saves != 0 || n.Watches != 0 {
			t.Errorf("in ten minutes: %+v", n)
		}
		t.Logf("%d streams: %.2f reads per second", streams, float64(n.Loads)/600)
	})
}

// Tokens end with the session, for whoever holds on to it: a stream, a job.
func TestTokensEndWithTheSession(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*session.Config)
		after  time.Duration
	}{
		{"grace period", nil, 80 * time.Hour},
		{"absolute lifetime", func(c *session.Config) { c.AbsoluteLifetime = 9 * time.Hour }, 9 * time.Hour},
		{"idle timeout", func(c *session.Config) { c.IdleTimeout = time.Hour }, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, tt.change, func(t *testing.T, h *house) {
				s := h.load(h.browserOf("alice", "one"))
				api := roundTrip(func(r *http.Request) *http.Response {
					return &http.Response{StatusCode: 200, Request: r, Body: http.NoBody}
				})
				client := s.Client(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: api}))
				time.Sleep(tt.after - time.Minute)
				if _, err := s.Token(t.Context()); err != nil {
					t.Errorf("a minute before: %v", err)
				}
				time.Sleep(time.Minute)
				if _, err := s.Token(t.Context()); !errors.Is(err, grant.ErrSessionEnded) {
					t.Errorf("token: %v, want ErrSessionEnded", err)
				}
				if _, err := s.TokenFor(t.Context(), grant.Resource("https://api.example")); !errors.Is(err, grant.ErrSessionEnded) {
					t.Errorf("token for another audience: %v", err)
				}
				if _, err := client.Get("https://api.example/"); !errors.Is(err, grant.ErrSessionEnded) {
					t.Errorf("client: %v", err)
				}
			})
		})
	}
	t.Run("not before, if it was renewed meanwhile", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			r := h.browserOf("alice", "one")
			held := h.load(r)
			time.Sleep(79 * time.Hour)
			if _, err := h.Renew(t.Context(), h.load(r)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			if _, err := held.Token(t.Context()); err != nil {
				t.Error(err)
			}
			h.count.Reset()
			if _, err := held.Token(t.Context()); err != nil || h.count.Counts().Loads != 0 {
				t.Errorf("%v, %+v: the new end is known", err, h.count.Counts())
			}
		})
	})
	t.Run("not while the store is down", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(81 * time.Hour)
			h.fault.Fail(errors.New("connection refused"))
			if _, err := s.Token(t.Context()); !errors.Is(err, grant.ErrStore) || errors.Is(err, grant.ErrSessionEnded) {
				t.Errorf("%v, want ErrStore", err)
			}
		})
	})
}
