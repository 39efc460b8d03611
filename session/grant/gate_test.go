package grant_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// gathering runs one test in virtual time: one process, and n users whose tokens
// have expired.
func gathering(t *testing.T, policy providers.RefreshPolicy, n int, tell func(t *testing.T, c *crowd, k *grant.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(policy))
		k := h.process()
		c := newCrowd(h, k, n)
		time.Sleep(2 * time.Hour)
		tell(t, c, k)
		k.Close()
	})
}

// all asks for a token of every user at once and waits for the answers.
func (c *crowd) all(k *grant.Keeper) (failed map[string]int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed = make(map[string]int)
	for i := range c.keys {
		wg.Go(func() {
			if _, err := c.token(c.t.Context(), k, i); err != nil {
				mu.Lock()
				failed[reason(err)]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed
}

func reason(err error) string {
	if te, ok := errors.AsType[*grant.TransientError](err); ok {
		return te.Reason
	}
	return err.Error()
}

func TestDOS5NeverMoreCallsAtOnceThanAllowed(t *testing.T) {
	for _, most := range []int{0, 1, 3, 7, 100} {
		gathering(t, strict, 300, func(t *testing.T, c *crowd, _ *grant.Keeper) {
			c.cfg.MaxCalls = most
			k := c.process()
			defer k.Close()
			c.op.takes = 20 * time.Millisecond
			if failed := c.all(k); len(failed) > 0 {
				t.Errorf("at most %d: %v", most, failed)
			}
			if most == 0 {
				most = 32
			}
			if c.op.most != most || c.op.calls != 300 {
				t.Errorf("%d calls, %d of them at once; want 300 and %d", c.op.calls, c.op.most, most)
			}
		})
	}
}

func TestA13ProcessThatStartsMeetsTheProviderWithAFewCallsAndThenMore(t *testing.T) {
	gathering(t, strict, 100, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.takes = time.Second
		begin := time.Now()
		c.all(k)
		started := make(map[time.Duration]int)
		for _, at := range c.op.times {
			started[at.Sub(begin)]++
		}
		want := map[time.Duration]int{0: 4, time.Second: 8, 2 * time.Second: 16, 3 * time.Second: 32, 4 * time.Second: 32, 5 * time.Second: 8}
		if !maps.Equal(started, want) {
			t.Errorf("calls began at %v, want %v", started, want)
		}
	})
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	gathering(t, strict, 50, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		c.cfg.MaxCalls = 1
		k := c.process()
		defer k.Close()
		c.op.takes = 100 * time.Millisecond
		var wg sync.WaitGroup
		var want []string
		for i := range c.keys {
			want = append(want, fmt.Sprintf("user%d", i))
			wg.Go(func() { c.token(t.Context(), k, i) })
			time.Sleep(time.Microsecond)
		}
		wg.Wait()
		if !slices.Equal(c.op.order, want) {
			t.Errorf("presented in the order %v", c.op.order)
		}
	})
}

// Who waits for a turn has written nothing: another process may go ahead, and no
// lease runs out in a queue.
func TestDOS5QueueIsLeftAfterTenSecondsWithoutATrace(t *testing.T) {
	gathering(t, strict, 2, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		c.cfg.MaxCalls = 1
		k, other := c.process(), c.process()
		defer k.Close()
		defer other.Close()
		c.op.takes = 14 * time.Second
		go c.token(t.Context(), k, 0)
		synctest.Wait()
		begin := time.Now()
		_, err := c.token(t.Context(), k, 1)
		if reason(err) != grant.ReasonBusy || time.Since(begin) != 10*time.Second {
			t.Errorf("after %v: %v; want busy after 10s", time.Since(begin), err)
		}
		c.op.takes = 0
		begin = time.Now()
		if _, err := c.token(t.Context(), other, 1); err != nil || time.Since(begin) != 0 {
			t.Errorf("another process: %v after %v", err, time.Since(begin))
		}
		time.Sleep(5 * time.Second)
	})
}

// A record that somebody else has renewed while we queued is used as it is.
func TestRecordIsReadAgainAfterTheQueue(t *testing.T) {
	gathering(t, strict, 2, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		c.cfg.MaxCalls = 1
		k, other := c.process(), c.process()
		defer k.Close()
		defer other.Close()
		c.op.takes = 3 * time.Second
		go c.token(t.Context(), k, 0)
		synctest.Wait()
		waiting := make(chan string)
		go func() {
			token, _ := c.token(t.Context(), k, 1)
			waiting <- token
		}()
		synctest.Wait()
		c.op.takes = time.Second
		renewed, err := c.token(t.Context(), other, 1)
		if token := <-waiting; err != nil || token != renewed || c.op.presented["user1"] != 1 {
			t.Errorf("tokens %q and %q, %v, presented %d times; want one for both", token, renewed, err, c.op.presented["user1"])
		}
	})
}

var down = answer{fail: true, kind: providers.NotSent}

// Five users in a row could not be served: the sixth is not even tried, nothing
// is written, and then one of those who come decides for all.
func TestBreakerLetsOneCallThroughAndBeginsAnew(t *testing.T) {
	gathering(t, strict, 150, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		counting := storetest.NewCounting(c.store)
		c.cfg.Store = counting
		k := c.process()
		defer k.Close()
		(&crowd{c.house, c.keys[100:]}).all(k) // as many calls at once as are allowed
		c.keys = c.keys[:100]
		c.op.calls = 0
		c.op.outage = func() answer { return down }
		for i := range 5 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		counting.Reset()
		for i := 5; i < 100; i++ {
			_, err := c.token(t.Context(), k, i)
			if te, ok := errors.AsType[*grant.TransientError](err); !ok || te.Reason != grant.ReasonBreaker || te.RetryAfter != time.Second {
				t.Fatalf("user %d: %v, want the breaker and a second to wait", i, err)
			}
		}
		if n := counting.Counts().Saves; n != 0 || c.op.count() != 5 {
			t.Errorf("%d writes, %d calls while it is open; want none, and the 5 before", n, c.op.count())
		}

		// Half open, and the provider is still down. (The five have tried again
		// after a second, which was the first of the calls that decide.)
		time.Sleep(30 * time.Second)
		before := c.op.count()
		c.op.takes = 3 * time.Second
		c.op.most = 0
		failed := c.all(k)
		if c.op.most != 1 || c.op.count() != before+1 {
			t.Errorf("%d calls, %d at once; want one that decides", c.op.count()-before, c.op.most)
		}
		if failed[grant.ReasonBreaker] < 99 {
			t.Errorf("failed %v: want those who waited for the one to be told by the breaker", failed)
		}

		// Half open, and it is back.
		time.Sleep(20 * time.Second)
		c.op.outage = nil
		c.op.takes = time.Second
		c.op.times = nil
		begin := time.Now()
		if failed := c.all(k); len(failed) != 0 {
			t.Errorf("after the outage: %v", failed)
		}
		started := make(map[time.Duration]int)
		for _, at := range c.op.times {
			started[at.Sub(begin)]++
		}
		want := map[time.Duration]int{0: 1, time.Second: 4, 2 * time.Second: 8, 3 * time.Second: 16, 4 * time.Second: 32, 5 * time.Second: 32, 6 * time.Second: 7}
		if !maps.Equal(started, want) {
			t.Errorf("calls began at %v, want %v", started, want)
		}
	})
}

// onlyNow is the context of somebody who waits for nothing.
func onlyNow(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	t.Cleanup(cancel)
	return ctx
}

func TestBreakerStaysOpenLongerEachTimeAndTwentySecondsAtMost(t *testing.T) {
	gathering(t, strict, 400, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.outage = func() answer { return down }
		for i := range c.keys { // a new user each second: nobody's own back-off matters
			c.token(onlyNow(t), k, i)
			synctest.Wait()
			time.Sleep(time.Second)
		}
		var longest time.Duration
		for i, at := range c.op.times[5:] {
			longest = max(longest, at.Sub(c.op.times[i+4]))
		}
		if longest > 21*time.Second || longest < 10*time.Second {
			t.Errorf("at most %v between two calls, want up to 20s", longest)
		}
		if n := c.op.count(); n > 120 {
			t.Errorf("%d calls in 400 s of outage", n)
		}
	})
}

func TestOneUsersTroubleSilencesNobodyElse(t *testing.T) {
	for _, trouble := range []answer{
		{fail: true, kind: providers.Busy, retryAfter: time.Hour},
		{fail: true, kind: providers.Gateway},
	} {
		gathering(t, reusable, 20, func(t *testing.T, c *crowd, k *grant.Keeper) {
			c.op.outage = func() answer { return trouble }
			for range 12 {
				time.Sleep(time.Hour + time.Second)
				c.token(onlyNow(t), k, 0)
				synctest.Wait()
			}
			if c.op.count() < 12 {
				t.Fatalf("%d calls for the one in trouble, want 12", c.op.count())
			}
			c.op.outage = nil
			c.keys = c.keys[1:]
			if failed := c.all(k); len(failed) != 0 {
				t.Errorf("%v: %v", trouble.kind, failed)
			}
		})
	}
}

// The shortest time that the failures in a row name counts: what one user is
// asked to wait is not what everybody is asked to.
func TestA6BreakerHonoursRetryAfterWhereAllAreAskedToWait(t *testing.T) {
	for _, tt := range []struct {
		name   string
		asked  []time.Duration
		silent time.Duration
	}{
		{"all are asked to wait two minutes", []time.Duration{120, 120, 120, 120, 120}, 2 * time.Minute},
		{"one of them for longer", []time.Duration{120, 120, 120, 120, 3600}, 2 * time.Minute},
		{"one of them not at all", []time.Duration{120, 120, 0, 120, 3600}, time.Second},
		{"IDP7 for a thousand hours", []time.Duration{3600e3, 3600e3, 3600e3, 3600e3, 3600e3}, time.Hour},
	} {
		gathering(t, strict, 6, func(t *testing.T, c *crowd, k *grant.Keeper) {
			n := 0
			c.op.outage = func() answer {
				n++
				return answer{fail: true, kind: providers.Busy, retryAfter: tt.asked[n-1] * time.Second}
			}
			for i := range 5 {
				c.token(onlyNow(t), k, i)
				synctest.Wait()
			}
			_, err := c.token(t.Context(), k, 5)
			te, ok := errors.AsType[*grant.TransientError](err)
			if !ok || te.Reason != grant.ReasonBreaker || te.RetryAfter != tt.silent {
				t.Errorf("%s: %v, want the breaker for %v", tt.name, err, tt.silent)
			}
			c.op.outage = nil
			time.Sleep(tt.silent)
			if _, err := c.token(t.Context(), k, 5); err != nil {
				t.Errorf("%s: then %v", tt.name, err)
			}
		})
	}
}

func TestAnswersOfAnyKindKeepTheBreakerShut(t *testing.T) {
	for _, kind := range []providers.Kind{providers.Revoked, providers.Interaction, providers.Misconfigured} {
		gathering(t, strict, 20, func(t *testing.T, c *crowd, k *grant.Keeper) {
			c.op.outage = func() answer { return answer{fail: true, kind: kind} }
			c.all(k)
			if c.op.count() != 20 {
				t.Errorf("%v: %d calls for 20 users", kind, c.op.count())
			}
		})
	}
}

func TestI7ValidTokenIsServedWhateverTheGateSays(t *testing.T) {
	gathering(t, strict, 6, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.login(k)
		time.Sleep(time.Hour - 20*time.Second) // about to die, and a second is worth waiting
		c.op.outage = func() answer { return down }
		for i := range 5 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		calls := c.op.count()
		begin := time.Now()
		c.mustToken(k, "at0")
		if waited := time.Since(begin); waited != 0 || c.op.count() != calls {
			t.Errorf("waited %v for a provider that is left alone", waited)
		}
	})
}

func TestAgingTokenAsksNobodyWhileTheProviderIsLeftAlone(t *testing.T) {
	gathering(t, strict, 6, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		counting := storetest.NewCounting(c.store)
		c.cfg.Store = counting
		k := c.process()
		defer k.Close()
		c.login(k)
		time.Sleep(56 * time.Minute)
		c.op.outage = func() answer { return down }
		for i := range 5 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		g := c.request(k)
		counting.Reset()
		for range 10 {
			if _, err := g.Token(t.Context(), grant.Audience{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := counting.Counts().Loads; c.op.count() != 5 || n != 0 {
			t.Errorf("%d calls, %d looks at the store for nothing", c.op.count()-5, n)
		}
	})
}

func TestCloseReleasesTheQueue(t *testing.T) {
	gathering(t, strict, 20, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.takes = 5 * time.Second
		failed := make(chan map[string]int)
		go func() { failed <- c.all(k) }()
		synctest.Wait()
		begin := time.Now()
		k.Close()
		if waited := time.Since(begin); waited != 5*time.Second {
			t.Errorf("Close took %v, want the 5s of the calls under way", waited)
		}
		if got := <-failed; got[grant.ReasonClosing] != 16 || len(got) != 1 {
			t.Errorf("failed %v: want the 16 who queued", got)
		}
	})
}

// Who waits for another process does not stand in the way of its own.
func TestTurnIsGivenUpWhileAnotherProcessIsAtIt(t *testing.T) {
	gathering(t, strict, 3, func(t *testing.T, c *crowd, _ *grant.Keeper) {
		c.cfg.MaxCalls = 1
		k, other := c.process(), c.process()
		defer k.Close()
		defer other.Close()
		c.op.takes = 2 * time.Second
		go c.token(t.Context(), k, 0)
		synctest.Wait()
		go c.token(t.Context(), k, 1)
		synctest.Wait()
		go c.token(t.Context(), k, 2)
		synctest.Wait()
		c.op.answers = []answer{{takes: 9 * time.Second}}
		go c.token(t.Context(), other, 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !slices.Equal(c.op.order, []string{"user0", "user1", "user2"}) {
			t.Errorf("presented %v: want the third to go while the second waits for another process", c.op.order)
		}
		time.Sleep(10 * time.Second)
	})
}
