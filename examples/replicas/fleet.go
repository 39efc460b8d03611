package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// replicaCount is how many processes the application has.
const replicaCount = 3

// fleet is the processes of the application. Each keeps its address through
// all its lives.
type fleet struct {
	args []string // that every replica is started with
	env  []string

	mu       sync.Mutex
	replicas [replicaCount]replica
	next     int // whose turn it is to get a request
}

type replica struct {
	addr  string
	cmd   *exec.Cmd // nil: it is not running
	alive io.Closer // its standard input: closing it ends the replica
}

// launch starts all replicas and waits until they serve.
func launch(args, env []string) (*fleet, error) {
	f := &fleet{args: args, env: env}
	for i := range f.replicas {
		addr, err := freeAddr()
		if err == nil {
			f.replicas[i].addr = addr
			err = f.start(i)
		}
		if err != nil {
			f.stop()
			return nil, err
		}
	}
	return f, nil
}

// start starts replica i.
func (f *fleet) start(i int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{"-replica", f.replicas[i].addr}, f.args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), f.env...), os.Stderr
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		cmd.Process.Kill()
		return fmt.Errorf("replica %d does not start: %w", i+1, errors.Join(err, cmd.Wait()))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replicas[i].cmd, f.replicas[i].alive = cmd, alive
	return nil
}

// kill ends replica i as a machine that loses its power does.
func (f *fleet) kill(i int) {
	f.mu.Lock()
	cmd := f.replicas[i].cmd
	f.replicas[i].cmd = nil
	f.mu.Unlock()
	if cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// stop ends all replicas, gently.
func (f *fleet) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.replicas {
		if r := &f.replicas[i]; r.cmd != nil {
			r.alive.Close()
			r.cmd.Wait()
			r.cmd = nil
		}
	}
}

// running returns how many replicas serve.
func (f *fleet) running() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.replicas {
		if r.cmd != nil {
			n++
		}
	}
	return n
}

// turn returns the replica that gets the next request.
func (f *fleet) turn() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range replicaCount {
		f.next = (f.next + 1) % replicaCount
		if f.replicas[f.next].cmd != nil {
			break
		}
	}
	return f.replicas[f.next].addr
}

// killEvery kills one replica after the other and starts it again, until ctx ends.
func (f *fleet) killEvery(ctx context.Context, pause, down time.Duration, killed func(i int)) error {
	for i := 0; sleep(ctx, pause); i = (i + 1) % replicaCount {
		f.kill(i)
		killed(i)
		sleep(ctx, down)
		if err := f.start(i); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
