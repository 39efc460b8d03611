// Package testserver starts real servers for tests: each is private to its
// test, listens on a free port of the loopback interface, keeps its data in a
// folder of the test, and ends with the test. What a server printed is shown
// where the test fails.
//
// Where the program of a server is not installed the test is skipped, with a
// line that names it. Where CI=true is in the environment it fails instead.
//
// The package is the standard library and package testing only, so that every
// module of the house can use it.
package testserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is how long a server may take to start or to end: long, because
	// a machine under test runs may be slow.
	patience = 30 * time.Second
	// tick is the pause between two looks.
	tick = 5 * time.Millisecond
	// outputBytes is how much of a server's last output is kept.
	outputBytes = 32 << 10
)

// program returns the path of the first of names that is installed. Without any
// the test is skipped, or fails where everything has to be tested. Directories
// that are not on the path of every user are looked into as well.
func program(t testing.TB, names []string, folders ...string) string {
	t.Helper()
	for _, name := range names {
		for _, folder := range append([]string{""}, folders...) {
			if folder != "" {
				folder = strings.TrimSuffix(folder, "/") + "/"
			}
			if found, err := exec.LookPath(folder + name); err == nil {
				return found
			}
		}
	}
	missing := "testserver: not installed: " + strings.Join(names, " or ")
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// freePort returns a port of the loopback interface that nobody listens on, and
// that is free likewise at each of the given distances above it.
//
// It lies below the range from which operating systems take the ports of
// outgoing connections: a server that is restarted finds its port as it left it.
func freePort(t testing.TB, distances ...int) int {
	t.Helper()
	for range 1000 {
		port := 10_000 + rand.N(10_000)
		free := true
		for _, distance := range append(distances, 0) {
			free = free && reserve(t, address(port+distance))
		}
		if free {
			return port
		}
	}
	t.Fatal("testserver: no free port")
	return 0
}

// reserve keeps other tests, of other processes too, from taking an address
// before its server listens or while it is restarted: they all hold the UDP port
// of the same number.
func reserve(t testing.TB, addr string) bool {
	held, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	t.Cleanup(func() { _ = held.Close() })
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// address spells a port of the loopback interface.
func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// accepts reports whether somebody listens at addr.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// process is a program that runs beside the test.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	farewell syscall.Signal
	printed  tail
	ended    chan struct{} // closed when the program has ended
}

// start runs cmd until the test ends. Then the program is sent farewell and
// given time to leave, unless that is SIGKILL; what is left of it and of the
// processes it started is killed.
func start(t testing.TB, cmd *exec.Cmd, farewell syscall.Signal) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, farewell: farewell, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.printed, &p.printed
	cmd.WaitDelay = patience // for descendants that keep the output open
	isolate(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("testserver: start %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()       // how it ended is in its output
		killAll(cmd.Process) // now, while the number is certainly not somebody else's
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("testserver: what %s printed:\n%s", cmd.Path, p.printed.String())
		}
	})
	return p
}

// await returns when ready does without an error. It ends the test if the
// program ends before, or takes too long.
func (p *process) await(ready func() error) {
	p.t.Helper()
	err := ready()
	for deadline := time.Now().Add(patience); err != nil; err = ready() {
		switch {
		case time.Now().After(deadline):
			p.t.Fatalf("testserver: %s is not ready: %v", p.cmd.Path, err)
		case !p.running():
			p.t.Fatalf("testserver: %s has ended: %v", p.cmd.Path, err)
		}
		time.Sleep(tick)
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop ends the program as the end of the test would. Once is enough.
func (p *process) stop() {
	if p.farewell != syscall.SIGKILL && p.running() {
		if err := p.cmd.Process.Signal(p.farewell); err != nil && !errors.Is(err, os.ErrProcessDone) {
			p.t.Errorf("testserver: end %s: %v", p.cmd.Path, err)
		}
		select {
		case <-p.ended:
		case <-time.After(patience):
			p.t.Errorf("testserver: %s ignores %v", p.cmd.Path, p.farewell)
		}
	}
	p.kill()
}

// kill ends the program, and what it started, without warning.
func (p *process) kill() {
	if p.running() {
		killAll(p.cmd.Process)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("testserver: %s cannot be killed", p.cmd.Path)
	}
}

// run runs a program to its end, for what has to be prepared, and returns what
// it printed to standard output. It ends the test if the program fails.
func run(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		t.Fatalf("testserver: %v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if n := len(w.text) - outputBytes; n > 0 {
		w.text = slices.Delete(w.text, 0, n)
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}
