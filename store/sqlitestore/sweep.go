package sqlitestore

import (
	"context"
	"time"
)

const (
	sweepInterval = time.Minute
	// sweepBatch is how many rows one statement removes: other writers wait
	// for it.
	sweepBatch = 500
)

// sweepEvery removes expired rows, at once and then in intervals, until ctx
// ends. An error is left for the next time: nothing depends on the sweep, and
// what keeps it from writing keeps Save from it too, which tells its caller.
func (s *Store) sweepEvery(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		_ = s.sweepOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Store) sweepOnce(ctx context.Context) error {
	for {
		var n int
		err := whileBusy(ctx, func() (err error) {
			n, err = affected(s.sweep.ExecContext(ctx, clock().UnixMicro(), sweepBatch))
			return err
		})
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
