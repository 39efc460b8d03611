// Package op carries what npm is to install for the end-to-end tests: the
// OpenID provider with the script that sets it up, and a Node.js for machines
// whose own one is too old for it.
package op

import (
	"embed"
	"io/fs"
)

//go:embed op.mjs package.json package-lock.json .npmrc
var provider embed.FS

//go:embed node/package.json node/package-lock.json node/.npmrc
var node embed.FS

// Provider are op.mjs and the lock file of what it imports.
func Provider() fs.FS { return provider }

// Node is the lock file of the pinned Node.js.
func Node() fs.FS {
	sub, err := fs.Sub(node, "node")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
