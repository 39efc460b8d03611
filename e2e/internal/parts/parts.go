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
	Compiler = Part{"cc", "the race detector", findCompiler, aptInstaller("gcc", "libc6-dev")}
	Node     = Part{"node", "the tests against oidc-provider", findNode, aptInstaller("nodejs", "npm")}
	OP       = Part{"oidc-provider", "the tests against oidc-provider", findOP, installOP}
	Chromium = Part{"chromium", "the tests in a real browser", findChromium, aptInstaller("chromium")}
)

// All returns every part.
func All() []Part { return []Part{Compiler, Node, OP, Chromium} }

// Find returns where the part is.
func (p Part) Find() (string, error) { return p.find() }

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

func findCompiler() (string, error) { return lookAny("cc", "gcc", "clang") }

func findChromium() (string, error) {
	return lookAny("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
}

func findNode() (string, error) {
	path, err := lookAny("node", "nodejs")
	if err != nil {
		return "", err
	}
	out, err := exec.Command(path, "--version").Output()
	var major int
	if _, scanErr := fmt.Sscanf(string(out), "v%d.", &major); err != nil || scanErr != nil {
		return "", fmt.Errorf("%s --version says nothing", path)
	}
	if major < oldestNode {
		return "", fmt.Errorf("%s is version %d, at least %d is needed", path, major, oldestNode)
	}
	return path, nil
}

// oldestNode is the version that Debian 12 ships.
const oldestNode = 18

func lookAny(names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in PATH", names[0])
}
