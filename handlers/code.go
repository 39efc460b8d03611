package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

const (
	// codeLifetime is how long an application on a device may take to trade its
	// code: it is waiting for it (contract 1.5, RFC 6749 section 4.1.2).
	codeLifetime = time.Minute
	// codeTimeout bounds what is done about a code that nobody traded.
	codeTimeout = 10 * time.Second
	// maxCode is the longest code in bytes.
	maxCode = 1024
)

// codes are what a sign-in with a code challenge ends with. A code names the
// session and the challenge, sealed; it is no session token, and nobody has one
// for that session before its code was traded.
type codes struct {
	sealer   *seal.Sealer
	sessions *session.Manager
	log      *slog.Logger
}

func newCodes(keys [][]byte, sessions *session.Manager, log *slog.Logger) (codes, error) {
	sealer, err := seal.New(keys, "authorization code", codeLifetime)
	return codes{sealer, sessions, log}, err
}

// issue returns a code for s. A session whose code is not traded in time ends by
// itself. If this process ends before that, it lasts as long as any, and nobody
// can enter it: its only key was the code.
func (c codes) issue(p providers.Provider, s *session.Session, challenge string) (string, error) {
	sealed, err := c.sealer.Seal(p.Name(), []byte(challenge+" "+s.ID))
	if err != nil {
		return "", err
	}
	code := string(sealed)
	time.AfterFunc(codeLifetime+time.Second, func() { c.expire(code, s.ID) })
	return code, nil
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

// spend marks the code as used, and reports whether it was the first to do so,
// on whatever replica.
func (c codes) spend(ctx context.Context, code string) (bool, error) {
	sum := sha256.Sum256([]byte(code))
	return c.sessions.Spend(ctx, "code:"+base64.RawURLEncoding.EncodeToString(sum[:]), time.Now().Add(2*codeLifetime))
}

// expire ends the session of a code that nobody traded. It competes with whoever
// trades it at the last moment, and only one of the two gets the code.
func (c codes) expire(code, session string) {
	ctx, cancel := context.WithTimeout(context.Background(), codeTimeout)
	defer cancel()
	if first, err := c.spend(ctx, code); err != nil || !first {
		return
	}
	c.end(ctx, session, "code_expired")
}

// end ends the session of a code that is of no use any more.
func (c codes) end(ctx context.Context, session, reason string) {
	if err := c.sessions.EndSession(ctx, session); err != nil {
		c.log.WarnContext(ctx, "session without a client left to expire", "session", session, "reason", reason, "cause", err)
	}
}
