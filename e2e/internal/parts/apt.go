package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// apt installs Debian packages, as root and where there is apt.
func apt(packages ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		path, err := exec.LookPath("apt-get")
		if err != nil || os.Geteuid() != 0 {
			return fmt.Errorf("not installed, and only root may install it (apt-get install %s)", packages[0])
		}
		if err := run(ctx, "", path, "update", "-qq"); err != nil {
			return err
		}
		return run(ctx, "", path, append([]string{"install", "-qq", "-y", "--no-install-recommends"}, packages...)...)
	}
}

// run runs a program and keeps the end of its output for the error.
func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}
