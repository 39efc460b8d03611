package grant_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// visit is user i's request, which the browser repeats when it is told to, as a
// page does that reloads itself. It returns what a user sees who has no patience
// left after ten minutes.
func (c *crowd) visit(k *grant.Keeper, i int) (err error) {
	for range 60 {
		if _, err = c.token(c.t.Context(), k, i); !errors.Is(err, grant.ErrTransient) {
			return err
		}
		te, _ := errors.AsType[*grant.TransientError](err)
		time.Sleep(te.RetryAfter)
	}
	return err
}

func TestTenThousandGrantsExpireAtOnceInThreeProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand users at three processes; not with -short")
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(strict))
		processes := []*grant.Keeper{h.process(), h.process(), h.process()}
		c := newCrowd(h, processes[0], 10_000)
		h.op.takes = 250 * time.Millisecond
		time.Sleep(2 * time.Hour)
		begin := time.Now()
		var wg sync.WaitGroup
		for i := range c.keys {
			for _, k := range processes { // each user has a page open that asks them all
				wg.Go(func() {
					if err := c.visit(k, i); err != nil {
						t.Errorf("user %d: %v", i, err)
					}
				})
			}
		}
		wg.Wait()
		t.Logf("served after %v, %d calls at once", time.Since(begin), h.op.most)
		h.wantCalls(10_000)
		if h.op.most > 3*32 {
			t.Errorf("%d calls at once, want at most 32 of each process", h.op.most)
		}
		for rt, n := range h.op.presented {
			if n != 1 {
				t.Errorf("%s presented %d times", rt, n)
			}
		}
		for _, k := range processes {
			k.Close()
		}
	})
}

func TestR9TenMinutesOfOutageAreOverInHalfAMinute(t *testing.T) {
	many := 1000
	if testing.Short() {
		many = 100
	}
	for _, tt := range []struct {
		name   string
		policy providers.RefreshPolicy
		outage answer
		users  int
	}{
		{"down", strict, answer{fail: true, kind: providers.NotSent}, many},
		{"hangs", reusable, answer{fail: true, kind: providers.Unknown, takes: 15 * time.Second}, many},
		{"429", strict, answer{fail: true, kind: providers.Busy}, 100},
		{"5xx", reusable, answer{fail: true, kind: providers.Gateway}, 100},
		{"not found", strict, answer{fail: true, kind: providers.Unready}, 100},
	} {
		for _, users := range []int{3, tt.users} {
			t.Run(fmt.Sprintf("%s, %d users", tt.name, users), func(t *testing.T) {
				gathering(t, tt.policy, users, func(t *testing.T, c *crowd, k *grant.Keeper) {
					outage(t, c, tt.outage)
				})
			})
		}
	}
}

func outage(t *testing.T, c *crowd, down answer) {
	processes := []*grant.Keeper{c.process(), c.process(), c.process()}
	tries := make(map[string][]time.Time)
	c.op.takes = 200 * time.Millisecond
	begin := time.Now()
	c.op.outage = func() answer { return down }
	seen := 0
	note := func() { // whose tries the last ones were
		c.op.mu.Lock()
		defer c.op.mu.Unlock()
		for ; seen < len(c.op.order); seen++ {
			tries[c.op.order[seen]] = append(tries[c.op.order[seen]], c.op.times[seen])
		}
	}
	for i := 0; time.Since(begin) < 10*time.Minute; i++ { // everybody comes once in six seconds, to any process
		for u := i % 60; u < len(c.keys); u += 60 {
			go func() {
				if _, err := c.token(t.Context(), processes[(u+i)%3], u); !errors.Is(err, grant.ErrTransient) {
					t.Errorf("user %d: %v", u, err)
				}
			}()
		}
		time.Sleep(100 * time.Millisecond)
	}
	note()
	for user, at := range tries {
		gaps := 0
		for i := range at[1:] {
			if at[i+1].Sub(at[i]) < 5*time.Second {
				gaps++
			}
		}
		if gaps > 1 { // the blip that is forgiven, once
			t.Errorf("%s was tried %d times, %d of them within five seconds of the one before", user, len(at), gaps)
		}
	}
	if c.op.most > 96 {
		t.Errorf("%d calls at once", c.op.most)
	}

	c.op.mu.Lock()
	c.op.outage = nil
	c.op.mu.Unlock()
	back := time.Now()
	served := make([]time.Duration, len(c.keys))
	var wg sync.WaitGroup
	for u := range c.keys {
		wg.Go(func() {
			for served[u] == 0 {
				_, err := c.token(t.Context(), processes[u%3], u)
				switch {
				case err == nil:
					served[u] = time.Since(back)
				case !errors.Is(err, grant.ErrTransient) || time.Since(back) > time.Minute:
					t.Errorf("user %d signed out: %v", u, err)
					served[u] = time.Hour
				default:
					time.Sleep(time.Second)
				}
			}
		})
	}
	wg.Wait()
	last := slices.Max(served)
	t.Logf("%d tries for %d users in ten minutes, all served after %v", seen, len(c.keys), last)
	if last > 30*time.Second {
		t.Errorf("the last user was served %v after the outage, want 30s", last)
	}
	for _, k := range processes {
		k.Close()
	}
	synctest.Wait()
}
