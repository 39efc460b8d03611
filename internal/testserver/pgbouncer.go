package testserver

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PgBouncer is a connection pooler in front of a PostgreSQL server, in
// transaction mode: each transaction of a client gets a connection to the server
// that the transactions of others have used before.
type PgBouncer struct {
	port     int
	database string
}

// NewPgBouncer starts a pooler for the database at the address given, such as
// that of [Postgres.URL], which ends with the test. A setting is a line of the
// configuration file, such as "default_pool_size = 2".
func NewPgBouncer(t testing.TB, database string, settings ...string) *PgBouncer {
	t.Helper()
	target, err := url.Parse(database)
	if err != nil {
		t.Fatalf("testserver: pgbouncer: %v", err)
	}
	b := &PgBouncer{port: freePort(t), database: database}
	bin := program(t, []string{"pgbouncer"}, "/usr/sbin")
	folder := foreignFolder(t, "pgbouncer")
	users := filepath.Join(folder, "users.txt")
	config := filepath.Join(folder, "pgbouncer.ini")
	for file, text := range map[string]string{
		users: `"postgres" ""`,
		config: strings.Join(append([]string{
			"[databases]",
			"* = host=" + target.Hostname() + " port=" + target.Port(),
			"[pgbouncer]",
			"pool_mode = transaction",
			"listen_addr = 127.0.0.1",
			"listen_port = " + strconv.Itoa(b.port),
			"unix_socket_dir =",
			"auth_type = trust",
			"auth_file = " + users,
		}, settings...), "\n"),
	} {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
			t.Fatalf("testserver: %v", err)
		}
	}
	cmd := exec.Command(bin, config)
	unprivileged(t, cmd)
	start(t, cmd, syscall.SIGKILL).await(func() error { return accepts(b.Addr()) })
	return b
}

// Addr is where the pooler listens, as host:port.
func (b *PgBouncer) Addr() string { return address(b.port) }

// URL is the address of the database through the pooler.
func (b *PgBouncer) URL() string { return Through(b.Addr(), b.database) }
