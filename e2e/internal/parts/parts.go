// Package parts finds the programs that the end-to-end tests need and that
// nobody on this project wrote, and installs them where it may: Debian packages
// only as root; npm packages, and what Go builds, only into the user's cache.
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
	Beside  bool                   // may be brought while others are: it needs none of them
	find    func() (string, error) // where it is; the error says what is missing
	install func(ctx context.Context) error
}

// The parts, in the order in which they are installed.
var (
	Compiler = Part{Name: "cc", For: "the race detector",
		find: compiler, install: apt("gcc", "libc6-dev")}
	Redis = Part{Name: "redis", For: "the tests on Redis",
		find: redis, install: apt("redis-server", "redis-sentinel", "redis-tools")}
	Postgres = Part{Name: "postgres", For: "the tests on Postgres",
		find: postgres, install: apt("postgresql")}
	PgBouncer = Part{Name: "pgbouncer", For: "the tests of Postgres behind PgBouncer",
		find: pgbouncer, install: apt("pgbouncer")}
	Node = Part{Name: "node", For: "the tests against oidc-provider",
		find: node, install: installNode}
	OP = Part{Name: "oidc-provider", For: "the tests against oidc-provider",
		find: provider.find, install: provider.install}
	AzureClient = Part{Name: "azure-mobile-apps", For: "the tests with Azure's own clients",
		find: azure.find, install: azure.install}
	Python = Part{Name: "python3", For: "the gateway in front of an application in Python",
		find: python, install: apt("python3")}
	Chromium = Part{Name: "chromium", For: "the tests in a real browser",
		find: chromium, install: apt("chromium")}
	Dex = Part{Name: "dex", For: "the tests against Dex", Beside: true,
		find: dex, install: buildDex}
)

// All returns every part.
func All() []Part {
	return []Part{Compiler, Redis, Postgres, PgBouncer, Node, OP, AzureClient, Python, Chromium, Dex}
}

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

func python() (string, error) { return lookAny("python3") }

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
