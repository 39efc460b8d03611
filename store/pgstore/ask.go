package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// ask sends st in one round trip and returns the whole answer.
//
// It uses the unnamed statement, which the next one replaces: a pooler may give
// the connection to somebody else in between. Against a statement that is
// prepared once this costs the server some microseconds of planning.
//
// It asks again for as long as the connection that it got from the pool had
// worked before and was found dead, or the transaction had to make way for
// another one. Each time uses up a connection, or lets somebody else get on, so
// that there is an end to it.
func (s *Store) ask(ctx context.Context, st statement, params ...[]byte) (*pgconn.Result, error) {
	for {
		result, again, err := s.askOnce(ctx, st, params)
		switch {
		case err == nil:
			return result, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !again:
			return nil, s.explain(err)
		}
	}
}

// worked is the mark of a connection that has given an answer.
const worked = "easyauth/pgstore: worked"

func (s *Store) askOnce(ctx context.Context, st statement, params [][]byte) (_ *pgconn.Result, again bool, _ error) {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, false, err
	}
	defer pooled.Release()
	conn := pooled.Conn().PgConn()
	_, hasWorked := conn.CustomData()[worked]

	result := exec(ctx, conn, st, params...)
	if result.Err == nil {
		conn.CustomData()[worked] = true
		return result, false, nil
	}
	if is(result.Err, readOnly) {
		// The server was the primary once. The pool is to look for the new one.
		_ = conn.Close(ctx)
		return nil, false, result.Err
	}
	again = hasWorked && conn.IsClosed() || is(result.Err, serializationFailure, deadlockDetected)
	return nil, again, result.Err
}

// exec sends st over conn and reads the whole answer.
func exec(ctx context.Context, conn *pgconn.PgConn, st statement, params ...[]byte) *pgconn.Result {
	binary := []int16{1} // one for all
	return conn.ExecParams(ctx, st.text, params, st.types, binary, binary).Read()
}

// What an operator can do about it.
var (
	errReadOnly = errors.New("the server is read-only: connect to the primary (target_session_attrs=read-write)")
	errRights   = errors.New("the role has too few rights: grant it those that the documentation of pgstore names")
)

// explain adds to an error of the server what can be done about it.
func (s *Store) explain(err error) error {
	switch {
	case is(err, undefinedTable, invalidSchema):
		return fmt.Errorf("the schema %q has no tables: call Migrate, or start the program with -migrate: %w", s.schema, err)
	case is(err, insufficientPrivilege):
		return fmt.Errorf("%w: %w", errRights, err)
	case is(err, readOnly):
		return fmt.Errorf("%w: %w", errReadOnly, err)
	}
	return err
}

// Codes of errors that are told apart.
const (
	readOnly              = "25006" // also a statement that a standby cannot do
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	invalidSchema         = "3F000"
	insufficientPrivilege = "42501"
	undefinedTable        = "42P01"
)

// is reports whether err is one of the server's with one of the codes.
func is(err error, codes ...string) bool {
	said, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, said.Code)
}
