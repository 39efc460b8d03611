package grant_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// A revocation that fails says nothing about refreshes.
func TestRevocationsDoNotCloseTheGate(t *testing.T) {
	gathering(t, strict, 10, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.outage = func() answer { return down }
		for i := range 4 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		c.op.unrevoked = 3
		go k.End(t.Context(), c.keys[4], "op")
		synctest.Wait()
		c.op.outage = nil
		if _, err := c.token(t.Context(), k, 9); err != nil || c.op.unrevoked != 2 {
			t.Errorf("%v, after %d revocations that failed", err, 3-c.op.unrevoked)
		}
	})
}

// After an outage nobody refreshes: the revocation is the call that decides, and
// a process that ends waits for it.
func TestRevocationGoesThroughAHalfOpenGate(t *testing.T) {
	gathering(t, strict, 10, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.outage = func() answer { return down }
		for i := range 5 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		c.op.unrevoked = 1
		c.op.revoking = time.Second
		before := time.Now()
		for i := 5; i < 8; i++ {
			go k.End(t.Context(), c.keys[i], "op")
		}
		time.Sleep(500 * time.Millisecond)
		_, err := c.token(t.Context(), k, 9)
		if reason(err) != grant.ReasonBreaker || time.Since(before) != time.Second {
			t.Errorf("after %v: %v; want the failed revocation to keep it closed", time.Since(before), err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(c.op.revoked) != 3 {
			t.Errorf("%d of 3 revoked", len(c.op.revoked))
		}
	})
}

// What is signed out during an outage is revoked after it.
func TestRevocationOutlivesAnOutage(t *testing.T) {
	gathering(t, strict, 10, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.outage = func() answer { return answer{fail: true, kind: providers.Busy, retryAfter: 5 * time.Minute} }
		for i := range 5 {
			c.token(onlyNow(t), k, i)
			synctest.Wait()
		}
		if err := k.End(t.Context(), c.keys[9], "op"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if !slices.Equal(c.op.revoked, []string{"user9"}) {
			t.Errorf("revoked %v, want user9", c.op.revoked)
		}
	})
}

func TestCloseWaitsForRevocationsThatQueue(t *testing.T) {
	gathering(t, strict, 12, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.revoking = 400 * time.Millisecond
		for _, key := range c.keys[:10] {
			go k.End(t.Context(), key, "op")
		}
		synctest.Wait()
		k.Close()
		if len(c.op.revoked) != 10 {
			t.Errorf("%d of 10 revoked", len(c.op.revoked))
		}
		c.op.revoking = time.Minute
		for _, key := range c.keys[10:] {
			go k.End(t.Context(), key, "op")
		}
		before := time.Now()
		k.Close()
		synctest.Wait()
		if waited := time.Since(before); waited > 20*time.Second {
			t.Errorf("Close took %v", waited)
		}
		time.Sleep(2 * time.Minute)
	})
}

// An administrator signs two hundred people out: whoever stays is not kept waiting.
func TestRevocationsDoNotHoldUpRefreshes(t *testing.T) {
	gathering(t, strict, 240, func(t *testing.T, c *crowd, k *grant.Keeper) {
		c.op.revoking = 2 * time.Second
		for _, key := range c.keys[40:] {
			go k.End(t.Context(), key, "op")
		}
		synctest.Wait()
		c.op.takes = 100 * time.Millisecond
		c.keys = c.keys[:40]
		begin := time.Now()
		if failed := c.all(k); len(failed) != 0 {
			t.Errorf("failed %v", failed)
		}
		if waited := time.Since(begin); waited > 2*time.Second {
			t.Errorf("those who stay waited %v", waited)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if c.op.errandsAt > 8 {
			t.Errorf("%d revocations at once", c.op.errandsAt)
		}
		if len(c.op.revoked) != 200 {
			t.Errorf("%d of 200 revoked", len(c.op.revoked))
		}
	})
}
