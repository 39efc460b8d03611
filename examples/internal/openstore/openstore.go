// Package openstore opens the store that a program's -store flag names:
//
//	memory                                   this process; it all ends with it
//	sqlite:FILE                              a file; the processes of one machine share it
//	redis://host:6379/0                      one Redis server
//	redis+sentinel://host:26379?master_name=NAME&addr=host2:26379
//	redis+cluster://host:6379?addr=host2:6379
//	postgres://user:password@host:5432/name  a Postgres database, prepared once with -migrate
//
// The Redis schemes take user:password@ before the host and the options of
// go-redis as a query; rediss:// and its kin use TLS. No error and no other text
// of this package shows a password.
package openstore

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

const (
	// patience is how long a server may take to answer a program that starts,
	patience = 3 * time.Second
	// and how long it may take to be prepared.
	preparation = time.Minute
)

// Spec says which store.
type Spec struct {
	Store   string // as the package comment says
	Migrate bool   // make what a Postgres database needs, or bring it up to date
}

// Flags makes s what the flags -store and -migrate will say. help is what
// follows the list of stores in the usage.
func (s *Spec) Flags(flags *flag.FlagSet, help string) {
	flags.StringVar(&s.Store, "store", s.Store, "keep sessions in this `store`: memory, sqlite:FILE, redis://HOST:PORT or postgres://USER@HOST:PORT/NAME "+help)
	flags.BoolVar(&s.Migrate, "migrate", s.Migrate, "prepare the Postgres database that -store names, or bring it up to date, and go on")
}

// Check reports what is wrong with s as far as can be said without asking
// anybody.
func (s Spec) Check() error {
	_, err := s.backend()
	return err
}

// File is the file of a SQLite store, and empty for every other one.
func (s Spec) File() string {
	file, _ := strings.CutPrefix(s.Store, "sqlite:")
	if file == s.Store {
		return ""
	}
	return file
}

// Lasting reports whether what is stored outlives the process.
func (s Spec) Lasting() bool { return s.Store != "memory" }

// String says where the store is, without a password.
func (s Spec) String() string {
	b, err := s.backend()
	if err != nil {
		return "nowhere"
	}
	return b.name
}

// Open opens the store. A server is asked whether it is there and fit, for three
// seconds at most, not counting its preparation; the error names the remedy. The Closer closes everything that
// was opened.
func Open(ctx context.Context, s Spec) (store.Store, io.Closer, error) {
	b, err := s.backend()
	if err != nil {
		return nil, nil, err
	}
	limit := patience
	if s.Migrate {
		limit = preparation
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	st, opened, err := b.open(ctx)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("-store: %w", err), opened.Close())
	}
	return st, opened, nil
}

// backend is a kind of store that can be opened.
type backend struct {
	name string // for people; without a password
	open func(context.Context) (store.Store, closers, error)
}

func (s Spec) backend() (backend, error) {
	kind, rest, _ := strings.Cut(s.Store, ":")
	if s.Migrate && kind != "postgres" && kind != "postgresql" {
		return backend{}, errors.New("-migrate belongs to -store postgres://...: no other store needs it")
	}
	switch {
	case s.Store == "memory":
		return backend{"in memory: they end with this program", openMemory}, nil
	case kind == "sqlite" && rest != "":
		return backend{rest, func(context.Context) (store.Store, closers, error) { return openSQLite(rest) }}, nil
	case kind == "postgres" || kind == "postgresql":
		return postgres(s.Store, s.Migrate)
	case strings.HasPrefix(kind, "redis"):
		return redisBackend(s.Store)
	}
	return backend{}, errors.New("-store is none of memory, sqlite:FILE, redis://HOST:PORT, postgres://USER@HOST:PORT/NAME")
}

func openMemory(context.Context) (store.Store, closers, error) { return memstore.New(), nil, nil }

func openSQLite(file string) (store.Store, closers, error) {
	st, err := sqlitestore.Open(file)
	if err != nil {
		return nil, nil, err
	}
	return st, closers{st.Close}, nil
}

// closers closes what was opened, the last first.
type closers []func() error

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for i := len(c) - 1; i >= 0; i-- {
		errs = append(errs, c[i]())
	}
	return errors.Join(errs...)
}

// place is the host and the path of a URL: the parts that may be shown.
func place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that cannot be read"
	}
	return strings.TrimSuffix(u.Host+u.Path, "/")
}

// unquoted is err without the URL that it quotes, which may hold a password.
func unquoted(err error) error {
	if parse, ok := errors.AsType[*url.Error](err); ok {
		return parse.Err
	}
	return err
}
