// Package seal encrypts and authenticates small values with a list of keys, of
// which the newest seals and all open. It is the only importer of securecookie.
//
// A sealed value is bound twice: to the purpose of its [Sealer], because every
// purpose derives keys of its own (docs/threats.md LOG10), and to a name, which is
// the cookie's or the row's (SES10). Neither is part of the sealed text.
package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
)

// MinKeyBytes is the shortest master key that New takes.
const MinKeyBytes = 32

// ErrOpen says that the value was not sealed by any of the keys for this
// purpose and name, was altered, or is older than the sealer allows. The reasons
// are not told apart, on purpose.
var ErrOpen = errors.New("seal: value does not open")

// Sealer seals and opens values of one purpose. It is safe for concurrent use.
type Sealer struct {
	codecs []*securecookie.SecureCookie // newest first
}

// New returns a Sealer for purpose. The first of keys seals, all of them open:
// rotate by putting a new key in front, and drop the old one when nothing
// sealed by it is of use any more (STO3). Every key must be random and at least
// MinKeyBytes long; it is used only to derive others (HKDF, RFC 5869).
//
// A value older than maxAge does not open; ages are measured in whole seconds,
// rounded up. A maxAge of 0 lets values of any age open.
func New(keys [][]byte, purpose string, maxAge time.Duration) (*Sealer, error) {
	switch {
	case len(keys) == 0:
		return nil, fmt.Errorf("seal: no key given: make one with `openssl rand -base64 %d`", MinKeyBytes)
	case purpose == "":
		return nil, errors.New("seal: empty purpose: name what the values are for")
	case maxAge < 0 || maxAge > math.MaxInt32*time.Second:
		return nil, fmt.Errorf("seal: maximum age of %s: use 0 for any age, or at most 68 years", maxAge)
	}
	s := &Sealer{codecs: make([]*securecookie.SecureCookie, len(keys))}
	for i, key := range keys {
		if len(key) < MinKeyBytes {
			return nil, fmt.Errorf("seal: key %d of %d has %d bytes: at least %d random bytes are needed, make them with `openssl rand -base64 %d`",
				i+1, len(keys), len(key), MinKeyBytes, MinKeyBytes)
		}
		hashKey, err := derive(key, purpose, "authenticate")
		if err != nil {
			return nil, err
		}
		blockKey, err := derive(key, purpose, "encrypt")
		if err != nil {
			return nil, err
		}
		s.codecs[i] = securecookie.New(hashKey, blockKey).
			SetSerializer(securecookie.NopEncoder{}). // never gob on bytes from outside (STO1)
			MaxLength(0).                             // the caller bounds what it reads
			MaxAge(wholeSeconds(maxAge))
	}
	return s, nil
}

// Seal returns plaintext encrypted and bound to name, as unpadded base64url
// text that a cookie can carry. It grows by about 16/9 and 100 bytes. The
// plaintext may be empty and is left as it was.
func (s *Sealer) Seal(name string, plaintext []byte) ([]byte, error) {
	// securecookie encrypts in place and cannot open what was empty: hence the
	// copy, and the leading byte, which is the version of this format.
	framed := append(make([]byte, 0, 1+len(plaintext)), frameV1)
	framed = append(framed, plaintext...)
	sealed, err := s.codecs[0].Encode(name, framed)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return []byte(strings.TrimRight(sealed, "=")), nil
}

// Open returns the plaintext that was sealed under name, never nil, or ErrOpen.
func (s *Sealer) Open(name string, sealed []byte) ([]byte, error) {
	if !canonical(sealed) {
		return nil, ErrOpen
	}
	text := string(sealed) + padding[:-len(sealed)&3]
	for _, codec := range s.codecs {
		var framed []byte
		if codec.Decode(name, text, &framed) != nil {
			continue
		}
		if len(framed) == 0 || framed[0] != frameV1 {
			return nil, ErrOpen
		}
		return framed[1:], nil
	}
	return nil, ErrOpen
}

const (
	frameV1 = 1
	padding = "==="
)

// canonical reports whether sealed is the one spelling of its bytes. A lenient
// decoder would also take line breaks and stray bits at the end, and so several
// texts for one value: what is spent under one of them must not come back under
// another (REP1).
func canonical(sealed []byte) bool {
	for _, c := range sealed {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	var tail [2]byte
	_, err := strictBase64.Decode(tail[:], sealed[len(sealed)&^3:])
	return err == nil
}

var strictBase64 = base64.RawURLEncoding.Strict()

// derive gives every purpose and use a key that says nothing about the others.
// The parts cannot run into each other: use is one of two fixed words.
func derive(master []byte, purpose, use string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, master, nil, "easyauth/seal/v1\x00"+use+"\x00"+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return key, nil
}

// wholeSeconds rounds up, because securecookie counts seconds and takes 0 to
// mean that age does not matter.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
