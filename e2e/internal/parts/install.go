package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/goeasyauth/easyauth/e2e/op"
)

// aptInstaller installs Debian packages, as root and where there is apt.
func aptInstaller(packages ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		apt, err := exec.LookPath("apt-get")
		if err != nil || os.Geteuid() != 0 {
			return fmt.Errorf("not installed, and only root may install it (apt-get install %s)", packages[0])
		}
		if err := run(ctx, "", apt, "update", "-qq"); err != nil {
			return err
		}
		return run(ctx, "", apt, append([]string{"install", "-qq", "-y", "--no-install-recommends"}, packages...)...)
	}
}

// opDir is where the provider of this version of op.mjs rests.
func opDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	version, err := op.Version()
	return filepath.Join(cache, "easyauth", "op-"+version), err
}

func findOP() (string, error) {
	dir, err := opDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		return "", errors.New("not in the cache yet")
	}
	return dir, nil
}

// installOP lets npm install the locked versions beside a copy of op.mjs. It
// works in a folder of its own and renames it when it is whole, so that no test
// ever starts half a provider.
func installOP(ctx context.Context) error {
	if _, err := findNode(); err != nil {
		return fmt.Errorf("needs node: %w", err)
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("needs npm, which is not in PATH")
	}
	dir, err := opDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "installing-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, op.Files); err != nil {
		return err
	}
	if err := run(ctx, work, npm, "ci", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	if _, err := findOP(); err == nil {
		return nil // another process was faster
	}
	if err := os.RemoveAll(dir); err != nil { // half of one, or none
		return err
	}
	return os.Rename(work, dir)
}

// run runs a program and keeps its output for the error.
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
