package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openWithin is how long Open waits for other processes.
const openWithin = 10 * time.Second

// resolve turns path into an absolute one: connections are opened as they are
// needed, and the working directory may have changed by then.
func resolve(path string) (string, error) {
	if path == "" || path == ":memory:" {
		return "", errors.New("not a file: name one, or use package memstore")
	}
	return filepath.Abs(path)
}

// open prepares everything. What it leaves behind when it fails, closeAll closes.
func (s *Store) open(file string) (err error) {
	if err := create(file); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openWithin)
	defer cancel()

	if s.writer, err = sql.Open("sqlite", dsn(file, "journal_mode(WAL)", "synchronous(NORMAL)")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := whileBusy(ctx, func() error { return migrate(ctx, s.writer) }); err != nil {
		return err
	}

	if s.reader, err = sql.Open("sqlite", dsn(file, "query_only(1)")); err != nil {
		return err
	}
	readers := 1 + max(4, runtime.GOMAXPROCS(0)) // one for followFile
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	return whileBusy(ctx, func() error { return s.prepare(ctx) })
}

// create makes the file with mode 0600, which SQLite's companion files inherit.
// A file that exists is not opened: closing it again would drop the locks that
// another Store of this process holds on it.
func create(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return errors.Unwrap(err) // the caller names the file
	}
	return f.Close()
}

// dsn spells the file as a URI, in which no character of its name has a meaning
// of its own, with the pragmas of each connection.
func dsn(file string, pragmas ...string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	query := url.Values{
		"_pragma":   append([]string{busyTimeout}, pragmas...),
		"_txlock":   {"immediate"},
		"_error_rc": {"1"}, // the text of this error and not of an earlier one
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func (s *Store) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		db   *sql.DB
		text string
	}{
		{&s.load, s.reader, loadSQL},
		{&s.tagged, s.reader, taggedSQL},
		{&s.marks, s.reader, marksSQL},
		{&s.create, s.writer, createSQL},
		{&s.replace, s.writer, replaceSQL},
		{&s.delete, s.writer, deleteSQL},
		{&s.sweep, s.writer, sweepSQL},
	} {
		if *p.stmt != nil {
			continue
		}
		stmt, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

// closeAll closes what open has opened. The writer goes last: it folds the
// write-ahead log into the file.
func (s *Store) closeAll() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
