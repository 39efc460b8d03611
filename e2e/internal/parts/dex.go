package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// dex is the built program of the module e2e/dex.
func dex() (string, error) {
	path, _, err := dexPaths()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("not built yet")
	}
	return path, nil
}

// buildDex lets Go download and build it: about a minute the first time. The
// binary is renamed when it is whole, so that no test ever runs half of one.
func buildDex(ctx context.Context) error {
	path, source, err := dexPaths()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "building-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	built := filepath.Join(work, "dex")
	// A module of its own: its dependencies must not mingle with those of the workspace.
	alone := []string{"GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0"}
	if err := run(ctx, source, alone, "go", "build", "-ldflags=-s -w", "-o", built, "."); err != nil {
		return err
	}
	return os.Rename(built, path)
}

// dexPaths are where the program is once it is built, in the user's cache under
// a name that changes with its source, and where its source is.
func dexPaths() (program, source string, err error) {
	if source, err = findUpwards(filepath.Join("e2e", "dex")); err != nil {
		return "", "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	files, err := os.ReadDir(source)
	if err != nil {
		return "", "", err
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(source, f.Name()))
		if err != nil {
			return "", "", err
		}
		fmt.Fprintf(h, "%s\x00%d\x00%s", f.Name(), len(content), content)
	}
	return filepath.Join(cache, "easyauth", "dex-"+hex.EncodeToString(h.Sum(nil))[:12]), source, nil
}

// findUpwards looks for a folder of the checkout that we are in.
func findUpwards(folder string) (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, folder)
		if _, err := os.Stat(at); err == nil {
			return at, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "", fmt.Errorf("not inside a checkout with %s", folder)
}
