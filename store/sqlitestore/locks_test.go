//go:build linux || darwin

package sqlitestore_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const probeVariable = "SQLITESTORE_PROBE"

// On POSIX systems a process loses all its locks on a file when it closes any
// descriptor of it. If Open did that, another process that leaves could take
// itself for the last one and remove the log that this one writes to.
func TestSecondHandleKeepsTheLocksOfTheFirst(t *testing.T) {
	path := newFile(t)
	save(t, open(t, path), "key", "value")
	open(t, path)
	probe := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFileIsLocked$", "-test.v")
	probe.Env = append(os.Environ(), probeVariable+"="+path)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFileIsLocked is the child process of the test above: locks can be seen by
// others only.
func TestFileIsLocked(t *testing.T) {
	path := os.Getenv(probeVariable)
	if path == "" {
		t.Skip("runs as a child process")
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	shared := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 0x4000_0002, Len: 510} // where SQLite's readers lock
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &shared); err != nil {
		t.Fatal(err)
	}
	if shared.Type == syscall.F_UNLCK {
		t.Error("nobody holds SQLite's lock on the file")
	}
}
