package testserver

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate puts the program into a process group of its own, so that it can be
// ended with its children, and ends it with this process, which may not live to
// run its cleanups.
func isolate(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// killAll kills the group of p, which may be gone.
func killAll(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// pause stops the program, as a machine does that hangs: its connections stay
// open and nothing answers.
func (p *process) pause() { p.signal(syscall.SIGSTOP) }

// resume lets a paused program go on.
func (p *process) resume() { p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		p.t.Fatalf("testserver: %v to %s: %v", s, p.cmd.Path, err)
	}
}
