package grant

import (
	"context"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// The poll of a record that another process is at work on: quick at first, then
// slow. Where the store tells of changes it is slow from the start, and only for
// what a lost connection kept from being told.
const (
	pollFirst = 50 * time.Millisecond
	pollLast  = time.Second
)

// lookout waits for another process to change a record. It belongs to one flight.
type lookout struct {
	keeper *Keeper
	key    string
	poll   time.Duration // 0: nobody has waited yet
	told   <-chan struct{}
}

// wait returns true when the record is worth another look, at the latest after
// about atMost where that is above zero; false when ctx or the Keeper ends.
func (l *lookout) wait(ctx context.Context, atMost time.Duration) bool {
	switch {
	case l.poll == 0 && l.watch(ctx):
		l.poll = pollLast
		return true // look again: what changed before we were listening is told to nobody
	case l.poll == 0:
		l.poll = pollFirst
	case l.told == nil:
		l.poll = min(l.poll*3/2, pollLast)
	}
	wait := l.poll
	if atMost > 0 {
		wait = min(wait, max(atMost, pollFirst))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.told:
		return true
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-l.keeper.stop:
	}
	return false
}

// watch asks the store to tell of changes until ctx ends, and reports whether it will.
func (l *lookout) watch(ctx context.Context) bool {
	ctx, cancel := context.WithCancel(ctx)
	slow := time.AfterFunc(StoreTimeout, cancel)
	told, err := store.Watch(ctx, l.keeper.cfg.Store, l.key)
	if !slow.Stop() || err != nil {
		cancel()
		return false
	}
	l.told = told
	return true // ctx ends with its parent
}
