package grant_test

import (
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

var learnt = providers.RefreshPolicy{Class: providers.Learnt}

// refresh renews the token once, and it works.
func (h *house) refresh(k *grant.Keeper) {
	h.t.Helper()
	time.Sleep(time.Minute)
	if err := h.request(k).Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// lose renews the token, and the answer does not arrive. It reports whether the
// refresh token was presented again at once.
func (h *house) lose(k *grant.Keeper) (again bool) {
	h.t.Helper()
	h.op.answers = []answer{{fail: true, kind: providers.Unknown}}
	time.Sleep(2 * time.Hour)
	calls := h.op.count()
	_, err := h.token(k)
	return err == nil && h.op.count() == calls+2
}

func TestClassIsLearntFromWhatRefreshesReturn(t *testing.T) {
	t.Run("strict before anything is known", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			if h.lose(k) {
				t.Error("presented again at once")
			}
			time.Sleep(40 * time.Second)
			h.mustToken(k, "at2")
		})
	})
	t.Run("strict where tokens rotate", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.refresh(k)
			if h.lose(k) {
				t.Error("presented again at once")
			}
		})
	})
	t.Run("reusable where the same token comes back", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			h.refresh(k)
			if !h.lose(k) {
				t.Error("not presented again")
			}
		})
	})
	t.Run("reusable where none comes back", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps, h.op.silent = true, true
			h.refresh(k)
			if !h.lose(k) {
				t.Error("not presented again")
			}
		})
	})
	t.Run("strict for good once a new one came", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			h.refresh(k)
			h.op.keeps = false
			h.refresh(k)
			h.op.keeps = true
			h.refresh(k)
			if h.lose(k) {
				t.Error("presented again at once")
			}
		})
	})
	t.Run("by every process from the record", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			h.refresh(k)
			other := h.process()
			defer other.Close()
			if !h.lose(other) {
				t.Error("not presented again")
			}
		})
	})
	t.Run("by one grant for itself", func(t *testing.T) {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			newCrowd(h, k, 1)
			c := crowd{house: h, keys: []string{"easyauth:{0}:grant"}}
			time.Sleep(2 * time.Hour)
			if _, err := c.token(t.Context(), k, 0); err != nil {
				t.Fatal(err)
			}
			if h.lose(k) {
				t.Error("presented again at once")
			}
		})
	})
	t.Run("never where reuse ends other logins too", func(t *testing.T) {
		policy := learnt
		policy.Wide = true
		story(t, policy, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			h.refresh(k)
			if h.lose(k) {
				t.Error("presented again at once")
			}
		})
	})
	t.Run("not against what is configured", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.keeps = true
			h.refresh(k)
			if h.lose(k) {
				t.Error("presented again at once")
			}
		})
	})
}

// Rows that were written before there was anything to learn.
func TestSTO2RowOfAnEarlierVersionIsRead(t *testing.T) {
	for _, row := range []string{
		`1{"provider":"op","gen":3,"rt":"rt0","refreshed":"2000-01-01T00:00:00Z","access":{"":{"at":"old","gen":3,"iat":"2000-01-01T00:00:00Z","exp":"2000-01-01T01:00:00Z"}}}`,
		`1{"provider":"op","gen":3,"rt":"rt0","refreshed":"2000-01-01T00:00:00Z","attempt":{"id":"x","first":"2000-01-01T00:00:00Z","deadline":"2000-01-01T00:00:20Z"},"backoff":{"until":"2000-01-01T00:00:21Z","n":1,"kind":0}}`,
	} {
		story(t, learnt, func(t *testing.T, h *house, k *grant.Keeper) {
			entries, err := h.store.Load(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.store.Save(t.Context(), key, store.Entry{Value: []byte(row), Version: entries[0].Version, ExpiresAt: entries[0].ExpiresAt})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			h.mustToken(k, "at1")
		})
	}
}
