// Package apptest runs an example as its user does: it starts the program,
// reads the address that it prints, and stops it.
package apptest

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that should happen at once.
const patience = 20 * time.Second

// Program is an example that runs in this process.
type Program struct {
	Base string // where it said that it can be opened

	Stdout, Stderr *Output

	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
	code   int
}

// Start runs the program until the test ends, and waits for the address.
func Start(t *testing.T, run func(ctx context.Context, stdout, stderr io.Writer) int) *Program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &Program{Stdout: new(Output), Stderr: new(Output), t: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.code = run(ctx, p.Stdout, p.Stderr)
	}()
	t.Cleanup(func() { p.Stop() })
	Eventually(t, "the program prints its address", func() bool {
		select {
		case <-p.done:
			t.Fatalf("the program ended with status %d: %s", p.code, p.Stderr)
		default:
		}
		if found := address.FindStringSubmatch(p.Stdout.String()); found != nil {
			p.Base = found[1]
		}
		return p.Base != ""
	})
	return p
}

// Stop interrupts the program and returns its exit status.
func (p *Program) Stop() int {
	p.t.Helper()
	p.cancel()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatal("the program does not stop")
	}
	return p.code
}

var address = regexp.MustCompile(`Open +(https?://\S+)\n`)

// Output collects what a program prints.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Eventually waits until happened is true, looking often.
func Eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not happen that %s", what)
		}
	}
}
