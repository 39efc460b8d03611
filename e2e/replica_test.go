package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

var buildReplica = builder("replica", ".", "./cmd/replica")

// The points of a refresh at which a replica can be told to die or to stop; see
// cmd/replica.
const (
	beginning  = "beginning"  // the lease is not taken yet
	locked     = "locked"     // it is taken
	presented  = "presented"  // it has left
	committing = "committing" // the answer is here and not stored
	committed  = "committed"  // it is stored, and nobody was told
)

// replica is one process of a fleet. It keeps its address through all its lives.
type replica struct {
	addr string
	link *testserver.Proxy // to the store

	t       testing.TB
	args    []string
	env     []string
	logs    *logs
	cmd     *exec.Cmd
	lives   io.Closer   // its standard input
	reached chan string // the points that it was told to die or stop at
}

// Start starts it, again after a Kill, and waits until it serves.
func (r *replica) Start() {
	r.t.Helper()
	r.cmd = exec.Command(buildReplica(r.t), r.args...)
	r.cmd.Env = append(os.Environ(), r.env...)
	r.cmd.Stderr = r.logs
	stdin, err := r.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.lives, r.reached = stdin, make(chan string, 8)
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || lines.Text() != "ready" {
		r.cmd.Wait()
		r.t.Fatalf("replica does not start:\n%s", r.logs.String())
	}
	go func() {
		for lines.Scan() {
			if point, ok := strings.CutPrefix(lines.Text(), "reached "); ok {
				r.reached <- point
			}
		}
	}()
}

// Kill is kill -9, also of one that is stopped.
func (r *replica) Kill() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}

// End lets it finish what it is doing, and demands that it does.
func (r *replica) End() {
	r.t.Helper()
	r.lives.Close()
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("the replica ends with %v", err)
	}
}

// Resume lets one go on that is stopped.
func (r *replica) Resume() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		r.t.Fatal(err)
	}
}

// KillAt makes it die when it is at that point of a refresh.
func (r *replica) KillAt(point string) { r.control("/_point?do=kill&name="+point, nil) }

// StopAt makes it stop there, as a machine does that is paused.
func (r *replica) StopAt(point string) { r.control("/_point?do=stop&name="+point, nil) }

// AwaitPoint waits until it is at a point that it was told to die or stop at.
func (r *replica) AwaitPoint(point string) {
	r.t.Helper()
	select {
	case got := <-r.reached:
		if got != point {
			r.t.Fatalf("the replica is at %s, not at %s", got, point)
		}
	case <-time.After(patience):
		r.t.Fatalf("the replica does not come to %s", point)
	}
}

// vitals is what a replica says of itself.
type vitals struct {
	Goroutines int
	Heap       uint64
}

func (r *replica) Vitals() (v vitals) {
	r.t.Helper()
	r.control("/_vitals", &v)
	return v
}

func (r *replica) control(path string, into any) {
	r.t.Helper()
	resp, err := http.Get("http://" + r.addr + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			r.t.Fatal(err)
		}
	}
}
