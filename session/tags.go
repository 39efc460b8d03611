package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Tags are the names under which a store finds sessions without their cookies.
// They rest in the clear, so they are hashes of what they stand for.

// tags are the names that the row of r carries.
func (r *record) tags() []string {
	tags := []string{userTag(r.Provider, r.Issuer, r.Subject)}
	if r.ProviderSession != "" {
		tags = append(tags, providerSessionTag(r.Provider, r.Issuer, r.ProviderSession))
	}
	return tags
}

// userTag is the tag of all sessions of one user.
func userTag(provider, issuer, subject string) string {
	return tag("user", provider, issuer, subject)
}

// providerSessionTag is the tag of the sessions that came of one session at the
// provider, which ID tokens and logout tokens call sid.
func providerSessionTag(provider, issuer, sid string) string {
	return tag("sid", provider, issuer, sid)
}

// tag hashes the parts.
func tag(kind string, parts ...string) string {
	sum := sha256.Sum256(joined(parts...))
	return "easyauth:" + kind + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// joined writes each part after its length: no two lists of parts are one
// sequence of bytes.
func joined(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
