package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// record is who is signed in, as stored. It holds no token. Its times are on
// the store's clock. A record in memory is never changed.
type record struct {
	Provider string           `json:"provider"`
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Claims   providers.Claims `json:"claims"`            // of the ID token
	UserInfo providers.Claims `json:"userinfo,omitzero"` // what only the userinfo endpoint told
	// ProviderSession is the sid of the ID token: the user's session at the
	// provider, by which the provider may end this one.
	ProviderSession string    `json:"sid,omitempty"`
	CreatedAt       time.Time `json:"created"`
	AuthTime        time.Time `json:"auth"`
	ExpiresAt       time.Time `json:"expires"` // end of the session; the grace period is added when read
	SeenAt          time.Time `json:"seen"`    // for the idle timeout

	PendingUntil time.Time `json:"pending,omitzero"` // until when it can be claimed, and is no session
	Claim        string    `json:"claim,omitempty"`  // the mark of who claimed it

	user User // made of the above when decoded
}

// format is the first byte of an encoded record. A row of another format is no
// session, never an error (docs/threats.md STO2).
const format = '1'

func (r *record) encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return append([]byte{format}, b...), nil
}

// decode returns nil for anything that is not a record of this format.
func decode(value []byte) *record {
	if len(value) == 0 || len(value) > store.MaxValueBytes || value[0] != format {
		return nil
	}
	var r record
	if json.Unmarshal(value[1:], &r) != nil {
		return nil
	}
	return &r
}

// Claims that come under their long types where a provider has none of its own
// names for them, or speaks no OpenID Connect (contract 2.3).
const (
	longName  = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	longEmail = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
)

// describe makes the User of a record.
func (m *Manager) describe(r *record) User {
	c := r.Claims.Merge(r.UserInfo)
	u := User{Provider: r.Provider, Issuer: r.Issuer, ID: r.Subject, Claims: c}
	if p, ok := m.providers[r.Provider].(providers.Named); ok {
		u.NameClaim = p.NameClaim()
	}
	if email := cmp.Or(c.String("email"), c.String(longEmail)); strings.Count(email, "@") == 1 {
		u.Email = email
	}
	u.Name = cmp.Or(c.String(u.NameClaim), c.String("name"), c.String(longName), c.String("preferred_username"), u.Email, r.Subject)
	return u
}

func (r *record) identity() providers.Identity {
	return providers.Identity{Issuer: r.Issuer, Subject: r.Subject, Claims: r.Claims}
}

// Keys of the two records of one login. The braces are a Redis Cluster hash
// tag: both records live in one slot.
const (
	keyPrefix     = "easyauth:{"
	sessionSuffix = "}:session"
	grantSuffix   = "}:grant"
)

func sessionKey(id string) string { return keyPrefix + id + sessionSuffix }
func grantKey(id string) string   { return keyPrefix + id + grantSuffix }

// idBytes is the length of a session's id: SHA-256 in base64url.
const idBytes = 43

// idOf is the session's id for a cookie value. Whoever reads the store learns
// ids, and cannot make a cookie of one (docs/threats.md SES9).
//
// The id is cut out of the session's key, which every request needs as well.
func idOf(cookie string) (id, key string) {
	var b [len(keyPrefix) + idBytes + len(sessionSuffix)]byte
	n := copy(b[:], keyPrefix)
	sum := sha256.Sum256(append(make([]byte, 0, cookieBytes), cookie...)) // on the stack
	base64.RawURLEncoding.Encode(b[n:], sum[:])
	copy(b[n+idBytes:], sessionSuffix)
	key = string(b[:])
	return key[n : n+idBytes], key
}
