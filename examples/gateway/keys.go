package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/keysfile"
	"github.com/goeasyauth/easyauth/providers"
)

// keyring is one of the two kinds of keys.
type keyring struct {
	variable string // where App Service takes the key from, in hexadecimal or Base64
	suffix   string // of the file that keeps those that were made here
}

var (
	encryption = keyring{"WEBSITE_AUTH_ENCRYPTION_KEY", ""}      // of cookies and of what is stored
	signing    = keyring{"WEBSITE_AUTH_SIGNING_KEY", ".signing"} // of session tokens
)

func (k keyring) given() bool { return os.Getenv(k.variable) != "" }

// openKeys returns the keys that the environment gives, or those of the file. If
// there is no such file it is made, and the log says so. Sessions in memory need
// no file: their keys end with them.
func (g *gateway) openKeys(k keyring) ([]providers.Secret, error) {
	if k.given() {
		keys, err := easyauth.ParseKeys(os.Getenv(k.variable))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.variable, err)
		}
		return keys, nil
	}
	file, err := g.keysPlace()
	if err != nil {
		return nil, fmt.Errorf("%w: set %s, or name a file with -keys", err, k.variable)
	}
	if file == "" {
		g.log.Info("key made for this run only, as sessions are in memory", "instead_of", k.variable)
		return []providers.Secret{easyauth.NewKey()}, nil
	}
	file += k.suffix
	keys, made, err := keysfile.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s is not set, and -keys: %w", k.variable, err)
	}
	if made {
		g.log.Info("key made and kept: every gateway on this store needs it, and nobody else may read it", "instead_of", k.variable, "file", file)
	} else if exposed(file) {
		g.log.Warn("other users of this computer can read the key, and with it make sessions of anybody: take their permission away", "file", file)
	}
	return keys, nil
}

// exposed reports whether others than its owner can read the file, as far as its
// mode tells: on Windows it does not.
func exposed(file string) bool {
	info, err := os.Stat(file)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// keysPlace is where the keys are kept that the environment does not give:
// beside the sessions that they open, or in the user's configuration where those
// are on a server.
func (o options) keysPlace() (string, error) {
	switch {
	case o.keysFile != "":
		return o.keysFile, nil
	case o.store.File() != "":
		return o.store.File() + ".keys", nil
	case !o.store.Lasting():
		return "", nil
	}
	dir, err := stateDir()
	return filepath.Join(dir, "keys"), err
}

// stateDir is where the gateway keeps what must survive it and has no place of
// its own.
func stateDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err == nil {
		dir = filepath.Join(dir, "easyauth-gateway")
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("no directory to keep files in: %w", err)
	}
	return dir, nil
}
