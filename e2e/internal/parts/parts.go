// Package parts finds the programs that the end-to-end tests need and that
// nobody on this project wrote, and installs them where it may: Debian packages
// only as root, npm packages only into the user's cache.
package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Part is one such program.
type Part struct {
	Name    string
	For     string                 // what is left out without it
	find    func() (string, error) // where it is; the error says what is missing
	install func(ctx context.Context) error
}

// The parts, in the order in which they are installed.
var (
	Compiler = Part{"cc", "the race detector", compiler, apt("gcc", "libc6-dev")}
	Node     = Part{"node", "the tests against oidc-provider", node, installNode}
	OP       = Part{"oidc-provider", "the tests against oidc-provider", provider.find, provider.install}
	Chromium = Part{"chromium", "the tests in a real browser", chromium, apt("chromium")}
)

// All returns every part.
func All() []Part { return []Part{Compiler, Node, OP, Chromium} }

// Bring returns where the part is, after installing it if it was missing and
// that is allowed here.
func (p Part) Bring(ctx context.Context) (string, error) {
	if path, err := p.find(); err == nil {
		return path, nil
	}
	if err := p.install(ctx); err != nil {
		return "", err
	}
	return p.find()
}

// Need returns where the part is. Without it the test is left out, except
// where CI is "true": there nothing may be left out.
func (p Part) Need(t testing.TB) string {
	t.Helper()
	path, err := p.find()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing and CI may leave nothing out (make parts): %v", p.Name, err)
	default:
		t.Skipf("left out, %s is missing (make parts): %v", p.Name, err)
	}
	return path
}

func compiler() (string, error) { return lookAny("cc", "gcc", "clang") }

func chromium() (string, error) {
	return lookAny("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
}

func lookAny(names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in PATH", names[0])
}
