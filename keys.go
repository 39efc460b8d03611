package easyauth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/goeasyauth/easyauth/providers"
)

// minKeyBytes is the size of an AES-256 key.
const minKeyBytes = 32

// NewKey returns a new random key of 256 bits, in Base64. Keep what its Reveal
// returns where the application's other secrets are kept.
func NewKey() providers.Secret {
	key := make([]byte, minKeyBytes)
	rand.Read(key) // never fails: crypto/rand aborts the program instead
	return providers.NewSecret(base64.StdEncoding.EncodeToString(key))
}

// ParseKeys reads the keys of a key file: one per line, newest first, each at
// least 32 bytes in Base64 or hexadecimal. Empty lines and lines that begin
// with # are skipped. The error names the line, never the key.
func ParseKeys(text string) ([]providers.Secret, error) {
	var keys []providers.Secret
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key := providers.NewSecret(line)
		if _, err := decodeKey(key); err != nil {
			return nil, fmt.Errorf("easyauth: key in line %d refused: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("easyauth: no key found: put one into a line of its own, easyauth.NewKey makes one")
	}
	return keys, nil
}

func decodeKeys(keys []providers.Secret) (decoded [][]byte, err error) {
	decoded = make([][]byte, len(keys))
	for i, k := range keys {
		if decoded[i], err = decodeKey(k); err != nil {
			return nil, err
		}
	}
	return decoded, nil
}

// decodeKey returns the bytes of a key: hexadecimal if it is all hexadecimal
// digits, else Base64 in any alphabet, padded or not.
func decodeKey(k providers.Secret) ([]byte, error) {
	text := k.Reveal()
	key, err := hex.DecodeString(text)
	if err != nil {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		key, err = base64.RawStdEncoding.DecodeString(text)
	}
	switch {
	case err != nil:
		return nil, errors.New("neither Base64 nor hexadecimal: easyauth.NewKey makes one")
	case len(key) < minKeyBytes:
		return nil, fmt.Errorf("%d bytes, at least %d are needed: easyauth.NewKey makes one", len(key), minKeyBytes)
	}
	return key, nil
}
