package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// apt installs Debian packages, as root and where there is apt.
func apt(packages ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		path, err := exec.LookPath("apt-get")
		if err != nil || os.Geteuid() != 0 {
			return fmt.Errorf("not installed, and only root may install it (apt-get install %s)", packages[0])
		}
		if err := aptUpdate(); err != nil {
			return err
		}
		return run(ctx, "", nil, path, append([]string{"install", "-qq", "-y", "--no-install-recommends"}, packages...)...)
	}
}

// aptUpdate reads the package lists once, for all parts.
var aptUpdate = sync.OnceValue(func() error { return run(context.Background(), "", nil, "apt-get", "update", "-qq") })

// run runs a program and keeps the end of its output for the error.
func run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1") // install servers, start none
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}
