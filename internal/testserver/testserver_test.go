package testserver_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

// The tests of this file run the test program again, with this set.
const childVariable = "TESTSERVER_CHILD"

// Where a program is missing a person goes on working, and CI does not pass.
func TestProgramThatIsNotInstalled(t *testing.T) {
	t.Parallel()
	for ci, want := range map[string]string{"": "--- SKIP", "true": "--- FAIL"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^TestRedisForgetsEverythingWhenItRestarts$")
		child.Env = append(os.Environ(), "PATH="+t.TempDir(), "CI="+ci)
		out, _ := child.CombinedOutput() // fails where it should
		for _, text := range []string{want, "testserver: not installed: redis-server or valkey-server"} {
			if !strings.Contains(string(out), text) {
				t.Errorf("CI=%s: no %q in\n%s", ci, text, out)
			}
		}
	}
}

// A test program that is killed runs no cleanups.
func TestServerEndsWithATestProgramThatIsKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere servers outlive it")
	}
	testserver.NewRedis(t) // or there is nothing to see
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestChild$")
	child.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+t.TempDir())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	until(t, func() bool {
		c, err := net.Dial("tcp", strings.TrimSpace(addr))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// TestChild starts a server and waits to be killed.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("for another test to run")
	}
	fmt.Println(testserver.NewRedis(t).Addr())
	time.Sleep(time.Minute)
}
