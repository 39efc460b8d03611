//go:build !linux

package testserver

import (
	"os"
	"os/exec"
)

// isolate has nothing to do where processes end by themselves or not at all.
func isolate(*exec.Cmd) {}

// killAll kills the program. The servers of this package notice when the process
// that started them is gone.
func killAll(p *os.Process) { _ = p.Kill() }

func (p *process) pause() {
	p.t.Skip("testserver: a process is paused on Linux only")
}

func (p *process) resume() {}
