package testserver

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Redis is a Redis server, or a Valkey one, that keeps everything in memory: it
// is empty when it starts, and again after [Redis.Restart].
type Redis struct {
	t       testing.TB
	port    int
	command []string
	folder  string
	process *process
}

// NewRedis starts a server that ends with the test. A setting is a line of the
// configuration file, such as "maxmemory 100mb".
func NewRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	return newRedis(t, freePort(t), settings...)
}

func newRedis(t testing.TB, port int, settings ...string) *Redis {
	t.Helper()
	r := &Redis{t: t, port: port, folder: t.TempDir()}
	r.command = []string{program(t, []string{"redis-server", "valkey-server"})}
	settings = append([]string{
		"bind 127.0.0.1",
		"port " + strconv.Itoa(port),
		"dir " + r.folder,
		`save ""`,
		"appendonly no",
	}, settings...)
	r.command = append(r.command, configure(t, filepath.Join(r.folder, "redis.conf"), settings))
	r.Restart()
	return r
}

// Addr is where the server listens, as host:port.
func (r *Redis) Addr() string { return address(r.port) }

// URL is the address as clients take it, with the first database.
func (r *Redis) URL() string { return "redis://" + r.Addr() + "/0" }

// Do runs a command and returns the answer as text, the parts of a list each on
// a line of its own. It ends the test if the command fails.
func (r *Redis) Do(command ...string) string {
	r.t.Helper()
	answer, err := ask(r.Addr(), command...)
	if err != nil {
		r.t.Fatalf("testserver: redis: %s: %v", strings.Join(command, " "), err)
	}
	return answer
}

// Kill ends the server without warning, as kill -9 does.
func (r *Redis) Kill() { r.process.kill() }

// Restart starts the server again, empty and at the same address; if it still
// runs, it is killed first.
func (r *Redis) Restart() {
	r.t.Helper()
	if r.process != nil {
		r.Kill()
	}
	r.process = start(r.t, exec.Command(r.command[0], r.command[1:]...), syscall.SIGKILL)
	r.process.await(func() error {
		_, err := ask(r.Addr(), "PING")
		return err
	})
}

// Pause stops the server without closing its connections. Other systems than
// Linux skip the test.
func (r *Redis) Pause() {
	r.t.Helper()
	r.process.pause()
}

// Resume lets a server go on that was paused: it does what it was asked in the
// meantime.
func (r *Redis) Resume() {
	r.t.Helper()
	r.process.resume()
}
