package pgstore

import (
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// loadSQL answers with the clock and the entries, or with the clock alone.
const loadSQL = `
SELECT clock.now, e.key, e.version, e.expires_at, array_to_string(e.tags, ' '), e.value
FROM clock_timestamp() AS clock (now)
LEFT JOIN {schema}.entries AS e ON e.key = ANY (string_to_array($1, ' '))`

// A write that finds its own new version in the row was made before, by a call
// whose answer got lost, and has nothing to do but to say so. Both say whether
// the entry is stored, and what time it is by then.
const (
	createSQL = `
WITH changed AS (
	INSERT INTO {schema}.entries AS e (key, version, expires_at, tags, value)
	SELECT $2, $3, $4, string_to_array($5, ' '), $6
	WHERE $4 > clock_timestamp()
	ON CONFLICT (key) DO UPDATE
	SET version = excluded.version, expires_at = excluded.expires_at, tags = excluded.tags, value = excluded.value
	WHERE e.expires_at <= clock_timestamp() OR e.version = excluded.version
	RETURNING key)
SELECT EXISTS (SELECT FROM changed), clock_timestamp(), ({tell})`

	replaceSQL = `
WITH changed AS (
	UPDATE {schema}.entries
	SET version = $3, expires_at = $4, tags = string_to_array($5, ' '), value = $6
	WHERE key = $2 AND version IN ($7, $3) AND expires_at > clock_timestamp() AND $4 > clock_timestamp()
	RETURNING key)
SELECT EXISTS (SELECT FROM changed), clock_timestamp(), ({tell})`

	deleteSQL = `
WITH changed AS (DELETE FROM {schema}.entries WHERE key = $2 RETURNING key)
{tell}`
)

// tellSQL tells of what was changed if somebody watches it. Nobody else pays for
// it: a notification makes all transactions that notify commit one by one.
const tellSQL = `
SELECT pg_notify($1, key)
FROM changed JOIN {schema}.watches USING (key)
WHERE until > clock_timestamp()`

const (
	taggedSQL = `
SELECT key FROM {schema}.entries
WHERE tags @> ARRAY[$1] AND expires_at > clock_timestamp()`

	// In one order everywhere, or two processes would wait for each other.
	watchSQL = `
INSERT INTO {schema}.watches (key, until)
SELECT key, clock_timestamp() + interval '30 seconds'
FROM unnest(string_to_array($1, ' ')) AS key
ORDER BY key
ON CONFLICT (key) DO UPDATE SET until = excluded.until`

	notifySQL = `SELECT pg_notify($1, $2)`
)

// What another sweep is at, and what is written at this moment, is passed over.
// It says now, for which an index can be asked, and not clock_timestamp.
const (
	sweepEntriesSQL = `
DELETE FROM {schema}.entries
WHERE key = ANY (ARRAY(
	SELECT key FROM {schema}.entries
	WHERE due <= now() AT TIME ZONE 'UTC'
	LIMIT $1
	FOR UPDATE SKIP LOCKED))`

	sweepWatchesSQL = `
DELETE FROM {schema}.watches
WHERE key = ANY (ARRAY(
	SELECT key FROM {schema}.watches
	WHERE until <= now()
	LIMIT $1
	FOR UPDATE SKIP LOCKED))`
)

const checkSQL = `
SELECT format::bigint, clock_timestamp(), current_setting('transaction_read_only')::boolean,
	(SELECT bool_and(has_table_privilege(name, privilege))
	FROM unnest(ARRAY[$1 || '.entries', $1 || '.watches']) AS name,
		unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege)
FROM {schema}.meta`

// statement is a text that is sent as it is, with the types of its parameters,
// for which the server need not be asked then.
type statement struct {
	text  string
	types []uint32
}

// statements is all that a Store asks of the server, except to make the tables.
type statements struct {
	load, create, replace, delete, tagged statement
	watch, notify                         statement
	sweepEntries, sweepWatches            statement
	check                                 statement
}

func newStatements(schema string) statements {
	const (
		text    = pgtype.TextOID
		integer = pgtype.Int8OID
		moment  = pgtype.TimestamptzOID
		binary  = pgtype.ByteaOID
	)
	in := func(sql string, types ...uint32) statement {
		return statement{within(schema, strings.ReplaceAll(sql, "{tell}", tellSQL)), types}
	}
	return statements{
		load:    in(loadSQL, text),
		create:  in(createSQL, text, text, integer, moment, text, binary),
		replace: in(replaceSQL, text, text, integer, moment, text, binary, integer),
		delete:  in(deleteSQL, text, text),
		tagged:  in(taggedSQL, text),

		watch:  in(watchSQL, text),
		notify: in(notifySQL, text, text),

		sweepEntries: in(sweepEntriesSQL, integer),
		sweepWatches: in(sweepWatchesSQL, integer),

		check: in(checkSQL, text),
	}
}

// within puts the name of the schema into a statement.
func within(schema, sql string) string {
	return strings.ReplaceAll(sql, "{schema}", pgx.Identifier{schema}.Sanitize())
}
