package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/goeasyauth/easyauth/e2e/op"
)

var provider = bundle{"op", op.Provider(), filepath.Join("node_modules", "oidc-provider")}

// bundle is a package.json with its lock file, and what comes of it: a folder
// in the user's cache whose name changes when any of the files does.
type bundle struct {
	name  string
	files fs.FS
	whole string // is there once the bundle is installed
}

// find returns the folder.
func (b bundle) find() (string, error) {
	dir, err := b.dir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, b.whole)); err != nil {
		return "", errors.New("npm has not installed it yet")
	}
	return dir, nil
}

// install lets npm install the locked versions beside a copy of the files. It
// works in a folder of its own and renames it when it is whole, so that no test
// ever sees half of one.
func (b bundle) install(ctx context.Context) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("needs npm, which is not in PATH")
	}
	dir, err := b.dir()
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
	if err := os.CopyFS(work, b.files); err != nil {
		return err
	}
	if err := run(ctx, work, nil, npm, "ci"); err != nil {
		return err
	}
	if _, err := b.find(); err == nil {
		return nil // another process was faster
	}
	if err := os.RemoveAll(dir); err != nil { // half of one, or none
		return err
	}
	return os.Rename(work, dir)
}

func (b bundle) dir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	err = fs.WalkDir(b.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(b.files, name)
		h.Write([]byte(name + "\x00"))
		h.Write(content)
		return err
	})
	return filepath.Join(cache, "easyauth", b.name+"-"+hex.EncodeToString(h.Sum(nil))[:12]), err
}
