package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Claims are the members of a token or of a userinfo answer, in the order the
// provider sent them. They are read only.
type Claims struct{ members []claim }

type claim struct {
	name  string
	value json.RawMessage
}

const (
	maxClaims  = 1000            // what one token may carry (docs/threats.md JWT13)
	maxSeconds = 253_402_300_800 // the year 10000
)

// ParseClaims decodes a JSON object strictly: names that repeat, or that
// encoding/json would take for the same, as it does where only the case
// differs, are refused (docs/threats.md G6, JWT16), because two readers of such an
// object may see two different users. At most 1000 members are read.
func ParseClaims(object []byte) (Claims, error) {
	if !utf8.Valid(object) || !json.Valid(object) {
		return Claims{}, errors.New("providers: claims are not valid JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return Claims{}, errors.New("providers: claims are not a JSON object")
	}
	var c Claims
	seen := make(map[string]bool)
	for dec.More() {
		// The object as a whole is valid: a name is a string, a value follows.
		t, _ := dec.Token()
		name, _ := t.(string)
		fold := foldName(name)
		if seen[fold] {
			return Claims{}, errors.New("providers: a claim repeats")
		}
		if seen[fold] = true; len(seen) > maxClaims {
			return Claims{}, errors.New("providers: too many claims")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return Claims{}, errors.New("providers: claims are not valid JSON")
		}
		c.members = append(c.members, claim{name, v})
	}
	return c, nil
}

// foldName maps all names that encoding/json would match to one struct field to
// the same text. Lower case is not enough: U+017F folds to s, U+212A to k.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r {
				return next
			}
			r = next
		}
	}, name)
}

// Len is the number of claims.
func (c Claims) Len() int { return len(c.members) }

// All iterates over the claims in their order; values are raw JSON.
func (c Claims) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, m := range c.members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// Has reports whether there is a claim of this exact name.
func (c Claims) Has(name string) bool { return c.Raw(name) != nil }

// String returns the claim if it is a JSON string, else "".
func (c Claims) String(name string) string {
	var s string
	if raw := c.Raw(name); len(raw) > 0 && raw[0] == '"' {
		_ = json.Unmarshal(raw, &s) // a raw member is valid JSON
	}
	return s
}

// Strings returns a claim that is a string or an array of strings, as groups
// and roles are; anything else gives nil.
func (c Claims) Strings(name string) []string {
	if s := c.String(name); s != "" {
		return []string{s}
	}
	var list []string
	if json.Unmarshal(c.Raw(name), &list) != nil {
		return nil
	}
	return list
}

// Bool returns the claim if it is the JSON literal true. The string "true" is
// not true (docs/threats.md JWT17).
func (c Claims) Bool(name string) bool { return string(c.Raw(name)) == "true" }

// Time returns a claim that is a JSON number of seconds since 1970 (RFC 7519
// NumericDate) before the year 10000; a string is not a number.
func (c Claims) Time(name string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(string(c.Raw(name)), 64)
	if err != nil || seconds < 0 || seconds >= maxSeconds {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// Decode stores the claim in the value pointed to by v, as json.Unmarshal does.
func (c Claims) Decode(name string, v any) error {
	raw := c.Raw(name)
	if raw == nil {
		return fmt.Errorf("providers: no claim %q", name)
	}
	return json.Unmarshal(raw, v)
}

// Merge returns c followed by those claims of o that c does not have.
func (c Claims) Merge(o Claims) Claims {
	if o.Len() == 0 {
		return c
	}
	merged := append([]claim(nil), c.members...)
	for _, m := range o.members {
		if !c.Has(m.name) {
			merged = append(merged, m)
		}
	}
	return Claims{merged}
}

// MarshalJSON writes the claims as one object, in their order.
func (c Claims) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range c.members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON is ParseClaims; null gives no claims.
func (c *Claims) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = Claims{}
		return nil
	}
	parsed, err := ParseClaims(data)
	if err == nil {
		*c = parsed
	}
	return err
}

// Raw returns the claim as raw JSON, nil if there is none.
func (c Claims) Raw(name string) json.RawMessage {
	for _, m := range c.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}
