// Package keysfile keeps the sealing keys of an application in a file: one key
// a line, newest first. A new key goes on a new first line; the old ones stay
// below it until every session that they sealed is over.
package keysfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
)

// Open reads the keys in the file. If there is no such file, it is made with
// one new key and mode 0600, and made reports so.
func Open(path string) (keys []providers.Secret, made bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := easyauth.NewKey()
		return []providers.Secret{key}, true, create(path, key)
	}
	if err != nil {
		return nil, false, fmt.Errorf("keysfile: unreadable: %w", err)
	}
	keys, err = easyauth.ParseKeys(string(text))
	if err != nil {
		return nil, false, fmt.Errorf("keysfile: %s: %w", path, err)
	}
	return keys, false, nil
}

// create refuses to overwrite: of two processes that start at once, one makes
// the file and the other fails rather than seal with a key that nobody keeps.
func create(path string, key providers.Secret) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keysfile: cannot be made: %w", err)
	}
	_, err = file.WriteString(key.Reveal() + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		_ = os.Remove(path) // half a key must not be taken for one later
		return fmt.Errorf("keysfile: cannot be written: %w", err)
	}
	return nil
}
