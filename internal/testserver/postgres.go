package testserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Postgres is a PostgreSQL server. It does not wait for the disk: what it has
// acknowledged survives [Postgres.Kill], not the end of the machine.
type Postgres struct {
	t       testing.TB
	port    int
	bin     string
	command []string
	process *process
}

// NewPostgres starts a server that ends with the test. A setting is one of the
// configuration file, such as "max_connections=10". Everybody may connect as
// the superuser postgres, without a password.
func NewPostgres(t testing.TB, settings ...string) *Postgres {
	t.Helper()
	p := &Postgres{t: t, port: freePort(t), bin: postgresPrograms(t)}
	data := filepath.Join(foreignFolder(t, "postgres"), "data")
	initdb := exec.Command(filepath.Join(p.bin, "initdb"),
		"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	unprivileged(t, initdb)
	run(t, initdb)

	p.command = []string{filepath.Join(p.bin, "postgres"), "-D", data}
	settings = append([]string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(p.port),
		"unix_socket_directories=",
		"fsync=off",
		"full_page_writes=off",
		"log_min_error_statement=panic", // what failed says the test
	}, settings...)
	for _, setting := range settings {
		p.command = append(p.command, "-c", setting)
	}
	p.Restart()
	return p
}

// Addr is where the server listens, as host:port.
func (p *Postgres) Addr() string { return address(p.port) }

// URL is the address of the first database, as clients take it.
func (p *Postgres) URL() string {
	return "postgres://postgres@" + p.Addr() + "/postgres?sslmode=disable"
}

// NewDatabase makes an empty database and returns its address.
func (p *Postgres) NewDatabase() string {
	p.t.Helper()
	name := fmt.Sprintf("test_%016x", rand.Uint64())
	p.Do("CREATE DATABASE " + name)
	u, err := url.Parse(p.URL())
	if err != nil {
		p.t.Fatalf("testserver: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

// Do runs one statement in the first database and returns the answer as text, a
// row a line. It ends the test if the statement fails.
func (p *Postgres) Do(statement string) string {
	p.t.Helper()
	psql := program(p.t, []string{"psql"}, p.bin)
	return strings.TrimSuffix(run(p.t, exec.Command(psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", p.URL(), "-c", statement)), "\n")
}

// Kill ends the server and its connections at once, without tidying up: it has
// to recover when it starts again.
func (p *Postgres) Kill() { p.process.stop() }

// Restart starts the server again, with its data and at the same address; if it
// still runs, it is killed first.
func (p *Postgres) Restart() {
	p.t.Helper()
	if p.process != nil {
		p.Kill()
	}
	cmd := exec.Command(p.command[0], p.command[1:]...)
	unprivileged(p.t, cmd)
	p.process = start(p.t, cmd, syscall.SIGQUIT)
	p.process.await(func() error {
		if !strings.Contains(p.process.printed.String(), "ready to accept connections") {
			return errors.New("it has not said so")
		}
		return accepts(p.Addr())
	})
}

// Through returns the address of a database with addr, such as that of a
// [Proxy], in the place of the server's.
func Through(addr, database string) string {
	u, err := url.Parse(database)
	if err != nil {
		return database // whose fault it is becomes clear where it is used
	}
	u.Host = addr
	return u.String()
}

// postgresPrograms returns the folder of the server's programs, which some
// systems keep off the path.
func postgresPrograms(t testing.TB) string {
	t.Helper()
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is right
	slices.Reverse(folders)
	found, err := filepath.EvalSymlinks(program(t, []string{"initdb"}, folders...))
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	return filepath.Dir(found)
}

// foreignFolder makes a folder that goes with the test and that belongs to the
// user whom [unprivileged] names. The test's own folders are closed to others.
func foreignFolder(t testing.TB, name string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", name+"-")
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("testserver: %v", err)
		}
	})
	giveAway(t, folder)
	return folder
}
