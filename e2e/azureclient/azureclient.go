// Package azureclient carries what npm is to install for the tests of this
// folder: Azure Mobile Apps, as Microsoft publishes it, in both halves. Its
// client for browsers and Node.js speaks to easyauth as it speaks to Azure App
// Service, and its server judges the session tokens that easyauth made.
package azureclient

import (
	"embed"
	"io/fs"
)

//go:embed npm/package.json npm/package-lock.json npm/.npmrc
var npm embed.FS

// Packages is the lock file of both, and of what bundles the client for a page.
func Packages() fs.FS {
	sub, err := fs.Sub(npm, "npm")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
