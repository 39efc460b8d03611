//go:build !linux

package testserver

import (
	"os/exec"
	"testing"
)

// unprivileged has nothing to do where tests are not run by root.
func unprivileged(testing.TB, *exec.Cmd) {}

func giveAway(testing.TB, string) {}
