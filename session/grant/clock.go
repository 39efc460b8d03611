package grant

import (
	"sync/atomic"
	"time"
)

// clock tells the store's time between two looks at the store.
type clock struct{ ahead atomic.Int64 }

// observe notes what the store's clock said in answer to a question.
func (c *clock) observe(asked, now time.Time) {
	if !now.IsZero() {
		c.ahead.Store(int64(now.Sub(asked.Add(time.Since(asked) / 2))))
	}
}

func (c *clock) now() time.Time { return c.at(time.Now()) }

// at converts a moment of this machine's clock.
func (c *clock) at(t time.Time) time.Time {
	return t.Add(time.Duration(c.ahead.Load())).Round(0)
}
