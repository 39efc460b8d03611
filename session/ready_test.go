package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store"
)

// lenient takes every row, whatever was there before.
type lenient struct{ store.Store }

func (l lenient) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	saved, err := l.Store.Save(ctx, key, e)
	if errors.Is(err, store.ErrConflict) {
		return e, nil
	}
	return saved, err
}

// skewed is a store whose clock is off.
type skewed struct {
	store.Store
	by time.Duration
}

func (s skewed) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	entries, err := s.Store.Load(ctx, keys...)
	for i := range entries {
		entries[i].Now = entries[i].Now.Add(s.by)
	}
	return entries, err
}

func (s skewed) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	e.ExpiresAt = e.ExpiresAt.Add(-s.by)
	return s.Store.Save(ctx, key, e)
}

func TestReady(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*session.Config)
		set    func(*house)
		ready  bool
		wanted string // the checks that have something to say
		within time.Duration
	}{
		{name: "all is well", ready: true},
		{name: "store down", set: func(h *house) { h.fault.Fail(errors.New("connection refused")) }, wanted: "store store_unavailable, clock store_unavailable"},
		{name: "store hangs", set: func(h *house) { h.fault.Hang() }, wanted: "store store_unavailable, clock store_unavailable", within: 2 * time.Second},
		{name: "store refuses writes", set: func(h *house) { h.fault.RefuseWrites(errors.New("read-only")) }, wanted: "store store_unavailable"},
		{name: "store that does not compare", change: func(c *session.Config) { c.Store = lenient{c.Store} }, wanted: "store store_unfit"},
		{name: "store that says so itself", change: func(c *session.Config) {
			c.CheckStore = func(context.Context) error {
				return errors.New("redisstore: maxmemory-policy is allkeys-lru: set it to noeviction")
			}
		}, wanted: "store store_unfit"},
		{name: "clocks a minute apart", change: func(c *session.Config) { c.Store = skewed{c.Store, time.Minute} }, ready: true},
		{name: "store's clock ahead", change: func(c *session.Config) { c.Store = skewed{c.Store, 61 * time.Second} }, wanted: "clock clocks_apart"},
		{name: "store's clock behind", change: func(c *session.Config) { c.Store = skewed{c.Store, -time.Hour} }, wanted: "clock clocks_apart"},
		{name: "provider not discovered", set: func(h *house) { h.op.unready = &providers.Error{Kind: providers.Unready} }, wanted: "provider:op provider_unavailable"},
		{name: "provider at odds with its registration", set: func(h *house) { h.op.unready = &providers.Error{Kind: providers.Misconfigured} }, wanted: "provider:op provider_misconfigured"},
		{name: "provider hangs", set: func(h *house) { h.op.unready = context.DeadlineExceeded }, wanted: "provider:op provider_unavailable", within: 2 * time.Second},
		{name: "no refresh token asked for", set: func(h *house) { h.op.online = true }, ready: true, wanted: "provider:op no_offline_access"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, tt.change, func(t *testing.T, h *house) {
				if tt.set != nil {
					tt.set(h)
				}
				began := time.Now()
				got := h.Ready(t.Context())
				if took := time.Since(began); took > tt.within {
					t.Errorf("took %v", took)
				}
				var said []string
				for _, c := range got.Checks {
					if c.Reason != "" {
						said = append(said, c.Name+" "+string(c.Reason))
					}
					if !slices.Contains(append(session.Reasons(), ""), c.Reason) {
						t.Errorf("%q is not in the closed list", c.Reason)
					}
				}
				if report := strings.Join(said, ", "); got.Ready != tt.ready || report != tt.wanted {
					t.Errorf("ready %v, %q; want %v, %q", got.Ready, report, tt.ready, tt.wanted)
				}
				if h.rows.Len() != 0 && tt.name == "all is well" {
					t.Errorf("%d rows left", h.rows.Len())
				}
			})
		})
	}
}

// What is served tells nobody where the store is, or why it is not well.
func TestReportHoldsNoCause(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.fault.Fail(errors.New("dial tcp 10.0.0.7:6379: connection refused"))
		body, err := json.Marshal(h.Ready(t.Context()))
		const wanted = `{"ready":false,"checks":[{"name":"store","ok":false,"reason":"store_unavailable"},` +
			`{"name":"clock","ok":false,"reason":"store_unavailable"},{"name":"provider:op","ok":true}]}`
		if err != nil || string(body) != wanted {
			t.Errorf("%s, %v; want\n%s", body, err, wanted)
		}
	})
}

// However often a health route is asked, the store is asked once a second.
func TestReportIsSharedForASecond(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.count.Reset()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { h.Ready(t.Context()) })
		}
		wg.Wait()
		time.Sleep(time.Second - time.Nanosecond)
		h.Ready(t.Context())
		if n := h.count.Reset(); n.Loads != 1 || n.Saves != 2 || n.Deletes != 1 {
			t.Errorf("a thousand questions cost %+v", n)
		}
		time.Sleep(time.Nanosecond)
		h.fault.Fail(errors.New("connection refused"))
		if h.Ready(t.Context()).Ready {
			t.Error("still ready a second later")
		}
	})
}

// A client that asks and goes away does not make the answer for the others.
func TestReportIsNotThatOfTheClientWhoLeft(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		gone, leave := context.WithCancel(t.Context())
		leave()
		if !h.Ready(gone).Ready {
			t.Error("not ready because a client left")
		}
	})
}

func TestChangesOfReadinessAreLoggedOnce(t *testing.T) {
	var j journal
	story(t, func(c *session.Config) { c.Logger = slog.New(&j) }, func(t *testing.T, h *house) {
		for _, down := range []bool{false, false, true, true, false, false} {
			h.fault.Heal()
			if down {
				h.fault.RefuseWrites(errors.New("read-only"))
			}
			h.Ready(t.Context())
			time.Sleep(2 * time.Second)
		}
		if want := []string{"not ready store_unavailable", "ready again"}; !slices.Equal(j.logged, want) {
			t.Errorf("the log says %q, want %q", j.logged, want)
		}
	})
}
