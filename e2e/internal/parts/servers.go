package parts

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
)

// The servers are found where package testserver looks for them.

func redis() (string, error) { return lookAll("redis-server", "redis-sentinel", "redis-cli") }

// postgres is the newest installed one: Debian keeps its programs out of PATH.
func postgres() (string, error) {
	if path, err := lookAny("initdb"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no initdb in PATH or below /usr/lib/postgresql")
	}
	return slices.Max(found), nil
}

func pgbouncer() (string, error) {
	if path, err := lookAny("pgbouncer"); err == nil {
		return path, nil
	}
	return lookAny("/usr/sbin/pgbouncer")
}

// lookAll returns the first of programs that are only good together.
func lookAll(names ...string) (first string, err error) {
	for _, name := range slices.Backward(names) {
		if first, err = exec.LookPath(name); err != nil {
			return "", fmt.Errorf("no %s in PATH", name)
		}
	}
	return first, nil
}
