// Package op carries the script that sets up the OpenID provider of the
// end-to-end tests, and the list of packages it needs.
package op

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
)

// Files are op.mjs and what npm needs to install its one dependency.
//
//go:embed op.mjs package.json package-lock.json .npmrc
var Files embed.FS

// Version changes when any of the files does.
func Version() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(Files, name)
		h.Write([]byte(name + "\x00"))
		h.Write(content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12], err
}
