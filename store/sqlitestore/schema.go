package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
)

// format is the layout of the tables. A file of another format is refused.
const format = 1

// The names have a prefix, so that the application may keep tables of its own
// in the file.
const metaSQL = `
CREATE TABLE IF NOT EXISTS easyauth_meta (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	format INTEGER NOT NULL,
	floor  INTEGER NOT NULL -- no version up to this one is given to a new row
) STRICT;
INSERT OR IGNORE INTO easyauth_meta (one, format, floor) VALUES (1, ?, 0)`

// What must hold whoever writes is left to triggers: a deleted row raises the
// floor, so that no key gets a version for the second time; and the index of
// tags follows the column, so that a Save is one statement. Tags are separated
// by a space, which no tag contains; quoting them all as one JSON string and
// putting a quote, a comma and a quote for each space makes a JSON array.
const tablesSQL = `
CREATE TABLE IF NOT EXISTS easyauth_entries (
	key        TEXT PRIMARY KEY NOT NULL,
	version    INTEGER NOT NULL,
	expires_at INTEGER NOT NULL, -- microseconds since 1970
	tags       TEXT NOT NULL,
	value      BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS easyauth_entries_expires_at ON easyauth_entries (expires_at);

CREATE TABLE IF NOT EXISTS easyauth_tags (
	tag TEXT NOT NULL,
	key TEXT NOT NULL,
	PRIMARY KEY (tag, key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS easyauth_inserted AFTER INSERT ON easyauth_entries WHEN NEW.tags <> '' BEGIN
	INSERT OR IGNORE INTO easyauth_tags
		SELECT value, NEW.key FROM json_each('[' || replace(json_quote(NEW.tags), ' ', '","') || ']');
END;

CREATE TRIGGER IF NOT EXISTS easyauth_updated AFTER UPDATE OF tags ON easyauth_entries WHEN NEW.tags <> OLD.tags BEGIN
	DELETE FROM easyauth_tags WHERE key = OLD.key AND tag IN
		(SELECT value FROM json_each('[' || replace(json_quote(OLD.tags), ' ', '","') || ']'));
	INSERT OR IGNORE INTO easyauth_tags
		SELECT value, NEW.key FROM json_each('[' || replace(json_quote(NEW.tags), ' ', '","') || ']')
		WHERE NEW.tags <> '';
END;

CREATE TRIGGER IF NOT EXISTS easyauth_deleted AFTER DELETE ON easyauth_entries BEGIN
	UPDATE easyauth_meta SET floor = OLD.version WHERE floor < OLD.version;
	DELETE FROM easyauth_tags WHERE key = OLD.key AND tag IN
		(SELECT value FROM json_each('[' || replace(json_quote(OLD.tags), ' ', '","') || ']'));
END`

const (
	loadSQL = `
SELECT asked.key, e.version, e.expires_at, e.tags, e.value
FROM json_each(?1) AS asked CROSS JOIN easyauth_entries AS e ON e.key = asked.value
WHERE e.expires_at > ?2`

	// The mark of a key is its version, or the floor below zero while it has none:
	// whatever happens to a key, it never has the same mark again.
	marksSQL = `
SELECT asked.key, coalesce(e.version, (SELECT -1 - floor FROM easyauth_meta))
FROM json_each(?1) AS asked LEFT JOIN easyauth_entries AS e ON e.key = asked.value`

	createSQL = `
INSERT INTO easyauth_entries (key, version, expires_at, tags, value)
VALUES (?1, (SELECT floor + 1 FROM easyauth_meta), ?2, ?3, ?4)
ON CONFLICT (key) DO UPDATE
SET version = version + 1, expires_at = excluded.expires_at, tags = excluded.tags, value = excluded.value
WHERE expires_at <= ?5
RETURNING version`

	replaceSQL = `
UPDATE easyauth_entries SET version = version + 1, expires_at = ?1, tags = ?2, value = ?3
WHERE key = ?4 AND version = ?5 AND expires_at > ?6`

	deleteSQL = `DELETE FROM easyauth_entries WHERE key = ?1`

	taggedSQL = `
SELECT t.key FROM easyauth_tags AS t CROSS JOIN easyauth_entries AS e ON e.key = t.key
WHERE t.tag = ?1 AND e.expires_at > ?2`

	sweepSQL = `
DELETE FROM easyauth_entries
WHERE key IN (SELECT key FROM easyauth_entries WHERE expires_at <= ?1 LIMIT ?2)`
)

// migrate brings an empty file, or one that only the application has used, to
// the format. It is one transaction: of two processes that start at once, one
// finds the work done.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, metaSQL, format); err != nil {
		return err
	}
	var found int
	if err := tx.QueryRowContext(ctx, `SELECT format FROM easyauth_meta`).Scan(&found); err != nil {
		return err
	}
	if found != format {
		return fmt.Errorf("the file has format %d, this version of easyauth knows %d: use the version that wrote it, or another file", found, format)
	}
	if _, err := tx.ExecContext(ctx, tablesSQL); err != nil {
		return err
	}
	return tx.Commit()
}
