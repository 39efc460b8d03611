package pgstore

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// sweepInterval is long against what it costs to find nothing, and short
	// against the hour after which a row is due.
	sweepInterval = time.Minute
	// sweepBatch is how many rows one statement removes.
	sweepBatch = 500
)

// sweepEvery removes expired rows until ctx ends: for the first time within an
// interval, so that replicas that started together do not sweep together. An
// error is left for the next time: nothing depends on the sweep, and what keeps
// it from writing keeps Save from it too, which tells its caller.
func (s *Store) sweepEvery(ctx context.Context, interval time.Duration) {
	timer := time.NewTimer(rand.N(interval))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		_ = s.sweep(ctx, s.sql.sweepEntries)
		_ = s.sweep(ctx, s.sql.sweepWatches)
		timer.Reset(interval)
	}
}

// sweep removes rows in batches: what it has removed stays removed if it is
// interrupted, and nobody waits long for a connection or a row.
func (s *Store) sweep(ctx context.Context, st statement) error {
	ctx, cancel := context.WithTimeout(ctx, sweepInterval)
	defer cancel()
	for {
		result, err := s.ask(ctx, st, integer(sweepBatch))
		if err != nil || result.CommandTag.RowsAffected() < sweepBatch {
			return err
		}
	}
}
