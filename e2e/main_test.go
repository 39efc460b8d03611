package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var workDir string // of this run of the tests; TestMain makes and removes it

// TestMain lets more tests run at once than there are processors, unless told
// otherwise: most of them wait most of the time, for tokens to expire and for
// leases to run out.
func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if !told {
		flag.Set("test.parallel", "8")
	}
	var err error
	if workDir, err = os.MkdirTemp("", "easyauth-e2e-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(workDir)
	os.Exit(status)
}

// soaking reports whether everything is to be tested in full size, for hours if
// need be. Otherwise it is what a change has to pass.
func soaking() bool { return os.Getenv("EASYAUTH_SOAK") == "1" }

// sized is the size of a test: the one of every change, or the full one.
func sized[T any](short, full T) T {
	if soaking() {
		return full
	}
	return short
}

var buildQuickstart = builder("quickstart", filepath.Join("..", "examples"), "./quickstart")

// builder returns what builds a program once for all tests, and says where it is.
func builder(name, module, pkg string) func(testing.TB) string {
	build := sync.OnceValues(func() (string, error) {
		binary := filepath.Join(workDir, name)
		out, err := exec.Command("go", "build", "-C", module, "-o", binary, pkg).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return binary, nil
	})
	return func(t testing.TB) string {
		t.Helper()
		binary, err := build()
		if err != nil {
			t.Fatal(err)
		}
		return binary
	}
}
