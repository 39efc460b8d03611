package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// format is the layout of the tables. A schema of another one is refused.
const format = 1

const schemaSQL = `CREATE SCHEMA {schema};`

// Rows are replaced often, so a row leaves room beside it for its successor,
// which then needs no entry in any index: records of up to half a page are kept
// in the page (toast_tuple_target), a page is filled to 70 %, and no column is
// indexed that changes often. The sweep looks for due, the full hour after the
// expiry, which is moved on with every refresh. Records are encrypted: to
// compress them is a waste of time.
//
// A table that nobody has to find again after a crash is not logged: those who
// watch have lost their connection, too, and come again.
const tablesSQL = `
CREATE TABLE {schema}.meta (
	one    integer PRIMARY KEY CHECK (one = 1),
	format integer NOT NULL
);
INSERT INTO {schema}.meta (one, format) VALUES (1, 1);

CREATE TABLE {schema}.entries (
	key        text COLLATE "C" PRIMARY KEY,
	version    bigint NOT NULL,
	expires_at timestamptz NOT NULL,
	due        timestamp NOT NULL GENERATED ALWAYS AS
	           (date_trunc('hour', expires_at AT TIME ZONE 'UTC') + interval '1 hour') STORED,
	tags       text[] COLLATE "C",
	value      bytea NOT NULL
) WITH (
	fillfactor = 70, toast_tuple_target = 4064,
	autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05
);
ALTER TABLE {schema}.entries ALTER COLUMN value SET STORAGE EXTERNAL;
CREATE INDEX entries_due ON {schema}.entries (due);
CREATE INDEX entries_tags ON {schema}.entries USING gin (tags) WITH (fastupdate = off) WHERE tags IS NOT NULL;

CREATE UNLOGGED TABLE {schema}.watches (
	key   text COLLATE "C" PRIMARY KEY,
	until timestamptz NOT NULL
) WITH (fillfactor = 50)`

// Migrate makes the tables. Where they are as they should be it changes nothing
// and needs no rights but to read. Any number of processes may call it at once.
// Tables of a version of easyauth that this one does not know are refused.
//
// Call it at the start of the program, or once before a roll-out, with a pool
// whose role may create; see the package's documentation.
func (s *Store) Migrate(ctx context.Context) error {
	if err := checkSchema(s.schema); err != nil {
		return fmt.Errorf("pgstore: migrate: %w", err)
	}
	for tries := 1; ; tries++ {
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.migrate(ctx, tx) })
		switch {
		case err == nil:
			return nil
		case tries < migrateTries && is(err, uniqueViolation, duplicateSchema, duplicateTable, serializationFailure, deadlockDetected):
			// Another process was faster, and has made what was missing.
		default:
			return fmt.Errorf("pgstore: migrate: %w", s.explain(err))
		}
	}
}

// migrateTries is how often Migrate may come too late. Twice is what it takes,
// and what stands in the way the last time was there before.
const migrateTries = 5

// Codes of the errors of who makes something at the same time as others.
const (
	uniqueViolation = "23505"
	duplicateSchema = "42P06"
	duplicateTable  = "42P07"
)

func (s *Store) migrate(ctx context.Context, tx pgx.Tx) error {
	hasSchema, found, err := s.find(ctx, tx)
	switch {
	case err != nil || found == format:
		return err
	case found != 0:
		return s.wrongFormat(found)
	}
	sql := tablesSQL
	if !hasSchema { // who need not make it may lack the right to
		sql = schemaSQL + tablesSQL
	}
	_, err = tx.Exec(ctx, within(s.schema, sql), pgx.QueryExecModeSimpleProtocol)
	return err
}

// find returns whether the schema is there, and the format of its tables, 0 for
// none.
func (s *Store) find(ctx context.Context, tx pgx.Tx) (hasSchema bool, found int, err error) {
	const sql = `SELECT to_regnamespace($1) IS NOT NULL, to_regclass($1 || '.meta') IS NOT NULL`
	var hasTables bool
	err = tx.QueryRow(ctx, sql, pgx.QueryExecModeExec, within(s.schema, "{schema}")).Scan(&hasSchema, &hasTables)
	if err == nil && hasTables {
		err = tx.QueryRow(ctx, within(s.schema, `SELECT format FROM {schema}.meta`), pgx.QueryExecModeExec).Scan(&found)
	}
	return hasSchema, found, err
}

func (s *Store) wrongFormat(found int) error {
	return fmt.Errorf("the schema %q has format %d, this version of easyauth knows %d: use the version that made it, or another schema", s.schema, found, format)
}
