// Package leaktest fails the tests of a package that leave goroutines behind
// (docs/threats.md R20): whatever this library starts ends with what started it.
package leaktest

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long a goroutine that was told to end may take.
const patience = 5 * time.Second

// Main runs the tests of a package, as its TestMain.
func Main(m *testing.M) {
	code := m.Run()
	// Peers that a benchmark compares with may leave behind what they like.
	benchmarks := flag.Lookup("test.bench")
	if code == 0 && (benchmarks == nil || benchmarks.Value.String() == "") {
		if left := wait(patience); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "leaktest: %d goroutines are left after all tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// wait returns the stacks of the goroutines that are still there after d.
func wait(d time.Duration) (left []string) {
	for end := time.Now().Add(d); ; time.Sleep(10 * time.Millisecond) {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() // nobody owns those
		left = slices.DeleteFunc(stacks(), permanent)
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

// stacks are those of all goroutines but this one.
func stacks() []string {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); ; n = runtime.Stack(buf, true) {
		if n < len(buf) {
			return strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")[1:]
		}
		buf = make([]byte, 2*len(buf))
	}
}

// permanent reports whether the goroutine belongs to the runtime or to the
// machinery of tests, fuzzing and signals, and never ends.
func permanent(stack string) bool {
	for _, of := range []string{"testing.(*", "testing.tRunner", "runtime.goexit0", "os/signal.signal_recv", "os/signal.loop", "internal/fuzz.", "runtime/pprof."} {
		if strings.Contains(stack, of) {
			return true
		}
	}
	return false
}
