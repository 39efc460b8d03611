package azureclient_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

// process is a script of testdata in Node.js, with the packages that it needs.
// It ends when nobody writes to it any more.
type process struct {
	t     testing.TB
	name  string
	in    io.WriteCloser
	lines chan []byte
}

// patience is how long a single step may take.
const patience = 30 * time.Second

func startProcess(t testing.TB, script string, args, env []string) *process {
	t.Helper()
	node, packages := parts.Node.Need(t), parts.AzureClient.Need(t)
	cmd := exec.Command(node, append([]string{"--no-deprecation", filepath.Join("testdata", script)}, args...)...)
	cmd.Env = append(os.Environ(), append(env, "NODE_PATH="+filepath.Join(packages, "node_modules"))...)
	var errors logs
	cmd.Stderr = &errors
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t, script, in, make(chan []byte)}
	ended := make(chan struct{})
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case p.lines <- append([]byte(nil), lines.Bytes()...):
			case <-ended:
			}
		}
	}()
	t.Cleanup(func() {
		in.Close()
		overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		close(ended)
		for range p.lines { // read to the end before Wait closes the pipe
		}
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", script, err, errors.String())
		}
		overdue.Stop()
	})
	return p
}

// Write gives the script a line.
func (p *process) Write(v any) {
	p.t.Helper()
	if err := json.NewEncoder(p.in).Encode(v); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// Read waits for the next line of the script.
func (p *process) Read(v any) {
	p.t.Helper()
	select {
	case line, open := <-p.lines:
		if !open {
			p.t.Fatalf("%s ended", p.name)
		}
		if err := json.Unmarshal(line, v); err != nil {
			p.t.Fatalf("%s: %v: %s", p.name, err, line)
		}
	case <-time.After(patience):
		p.t.Fatalf("%s says nothing", p.name)
	}
}
