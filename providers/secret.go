package providers

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret holds a value that must not reach a log, an error or a page: a token,
// a client secret, a key. It prints as "[redacted]" under every verb of fmt, in
// JSON and in slog; Reveal is the only way out. The zero Secret is empty.
//
// The value sits behind a pointer, so that %#v or a debugger's dump of a
// surrounding struct shows an address and not the text.
type Secret struct{ v *string }

const redacted = "[redacted]"

// NewSecret wraps s. An empty s gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal returns the value. What follows a call must be the wire or the seal.
func (s Secret) Reveal() string {
	if s.v == nil {
		return ""
	}
	return *s.v
}

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.v == nil }

// Equal reports whether both hold the same value, in constant time.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String returns a fixed text.
func (s Secret) String() string {
	if s.v == nil {
		return ""
	}
	return redacted
}

// GoString returns a fixed text.
func (s Secret) GoString() string { return "providers.Secret(" + s.String() + ")" }

// Format writes a fixed text whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.String())
}

// LogValue returns a fixed text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes a fixed text: a Secret does not survive JSON, so a struct
// that must be stored holds the revealed string inside the seal instead.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText writes a fixed text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
