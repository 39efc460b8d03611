package testserver

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"testing"
)

// unprivileged runs cmd as nobody where the test is run by root: some servers
// refuse to be started by root.
func unprivileged(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	uid, gid := nobody(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	cmd.Dir = "/" // the test's own folder may be closed to others
}

// giveAway gives the folder to the user whom [unprivileged] names.
func giveAway(t testing.TB, folder string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	uid, gid := nobody(t)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatalf("testserver: %v", err)
	}
}

func nobody(t testing.TB) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err == nil {
		gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		t.Fatalf("testserver: user nobody: %v", err)
	}
	return uid, gid
}
