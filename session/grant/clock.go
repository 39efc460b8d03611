package grant

import (
	"sync/atomic"
	"time"
)

// skew is how far the store's clock may jump without anybody's notice: the
// servers of one store never agree to the second.
const skew = 5 * time.Second

// clock tells the store's time between two looks at the store. It counts on
// from the last look by this machine's monotonic clock, so setting the machine's
// clock changes nothing; the store's own may jump when another server takes over
// (docs/threats.md R11).
type clock struct {
	start time.Time    // the count begins
	ahead atomic.Int64 // the store's time at start, in nanoseconds since 1970
	seen  atomic.Int64 // when it was last looked at, from start on; 0: never, ahead is this machine's guess
	leapt atomic.Int64 // until when, from start on, a jump of the store's clock casts doubt on what is over
}

func newClock() *clock {
	c := &clock{start: time.Now()}
	c.ahead.Store(c.start.UnixNano())
	return c
}

// observe notes what the store's clock said in answer to a question.
func (c *clock) observe(asked, now time.Time) {
	took := time.Since(asked)
	if now.IsZero() || took > StoreTimeout {
		return // this process was stopped meanwhile: who knows when the store looked at its clock
	}
	c.note(asked.Add(took/2), now)
}

// glance is observe for who has no more than an answer that came at that moment.
// It costs next to nothing when there was another one within the second.
func (c *clock) glance(at, now time.Time) {
	if int64(at.Sub(c.start))-c.seen.Load() > int64(time.Second) || !c.known() {
		c.note(at, now)
	}
}

// note says that it was now by the store's clock at a moment of ours.
func (c *clock) note(at, now time.Time) {
	since := int64(at.Sub(c.start))
	ahead := now.UnixNano() - since
	before := c.ahead.Swap(ahead)
	if c.known() && ahead-before > int64(skew) {
		c.leapt.Store(since + int64(leaseTime+quarantine))
	}
	c.seen.Store(max(since, 1))
}

// known reports whether the store has been asked.
func (c *clock) known() bool { return c.seen.Load() != 0 }

// now is the store's time.
func (c *clock) now() time.Time {
	return time.Unix(0, c.ahead.Load()+int64(time.Since(c.start))).UTC()
}

// at converts a moment of this machine's clock.
func (c *clock) at(t time.Time) time.Time { return c.now().Add(-time.Since(t)) }

// hasLeapt reports whether the store's clock jumped ahead so lately that an
// attempt whose time seems to be long over may still be under way.
func (c *clock) hasLeapt() bool { return int64(time.Since(c.start)) < c.leapt.Load() }
