package handlers

import (
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/providers"
)

const (
	// codeLifetime is how long an application on a device may take to trade its
	// code: it is waiting for it (contract 1.5, RFC 6749 section 4.1.2).
	codeLifetime = time.Minute
	// maxCode is the longest code in bytes.
	maxCode = 1024
)

// codes are what a sign-in with a code challenge ends with. A code names a pending
// session and the challenge, sealed: it is no session token, and there is no
// session before it was traded.
type codes struct{ sealer *seal.Sealer }

func newCodes(keys [][]byte) (codes, error) {
	sealer, err := seal.New(keys, "authorization code", codeLifetime)
	return codes{sealer}, err
}

// seal returns the code of a pending session at p.
func (c codes) seal(p providers.Provider, session, challenge string) (string, error) {
	sealed, err := c.sealer.Seal(p.Name(), []byte(challenge+" "+session))
	return string(sealed), err
}

// open returns what a code of this provider stands for.
func (c codes) open(p providers.Provider, code string) (challenge, session string, ok bool) {
	if len(code) > maxCode {
		return "", "", false
	}
	text, err := c.sealer.Open(p.Name(), []byte(code))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), " ")
}
