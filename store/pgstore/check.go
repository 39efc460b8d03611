package pgstore

import (
	"context"
	"fmt"
	"time"
)

// clockTolerance is how far the clocks of the server and of this machine may be
// apart. Sessions are judged by the server's alone; the lifetime of a token is
// counted from what this machine says.
const clockTolerance = time.Minute

// Check reports why the Store is not ready for use: the server cannot be
// reached, the tables are missing or of another format, the role may not write,
// the server is a standby, or its clock is more than a minute from this
// machine's. The error says what can be done. Check writes nothing and takes one
// round trip: a health check may call it every second.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("pgstore: check: %w", err)
	}
	return nil
}

func (s *Store) check(ctx context.Context) error {
	if err := checkSchema(s.schema); err != nil {
		return err
	}
	asked := time.Now()
	result, err := s.ask(ctx, s.sql.check, []byte(within(s.schema, "{schema}")))
	if err != nil {
		return err
	}
	if len(result.Rows) == 0 {
		return s.wrongFormat(0)
	}
	row, answered := result.Rows[0], time.Now()
	switch found, now := number(row[0]), instant(row[1]); {
	case found != format:
		return s.wrongFormat(int(found))
	case row[2][0] == 1:
		return errReadOnly
	case row[3][0] == 0:
		return errRights
	case now.Before(asked.Add(-clockTolerance)) || now.After(answered.Add(clockTolerance)):
		return fmt.Errorf("the server's clock is %v from this machine's: synchronise both", now.Sub(asked).Round(time.Second))
	}
	return nil
}
