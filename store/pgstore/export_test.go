package pgstore

import (
	"context"
	"strings"
	"time"
)

// Sweep removes expired rows as the Store does now and then.
func (s *Store) Sweep(ctx context.Context) error {
	if err := s.sweep(ctx, s.sql.sweepEntries); err != nil {
		return err
	}
	return s.sweep(ctx, s.sql.sweepWatches)
}

// Hurry makes the connection that is listened on renew its watches, end when
// nobody watches, and be tried again, all within moments. Nobody may have
// watched before.
func (s *Store) Hurry(moments time.Duration) {
	s.listener.pace.renew = moments
	s.listener.pace.linger = moments
	s.listener.pace.retry = moments
	s.listener.pace.proof = 10 * moments
}

// Mute makes Save notify nobody, to measure what it costs to do so.
func (s *Store) Mute() {
	s.sql.replace.text = strings.Replace(s.sql.replace.text, within(s.schema, tellSQL), "NULL", 1)
}
