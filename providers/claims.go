package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Claims are the members of a token or of a userinfo answer, in the order the
// provider sent them. They are read only.
type Claims struct{ members []claim }

type claim struct {
	name  string
	value json.RawMessage
}

// maxClaims bounds what one token may carry (security.md JWT13).
const maxClaims = 1000

// ParseClaims decodes a JSON object strictly: names that repeat, or that
// differ only in case, are refused (security.md G6, JWT16), because two readers
// of such an object may see two different users.
func ParseClaims(object []byte) (Claims, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return Claims{}, errors.New("providers: claims are not a JSON object")
	}
	var c Claims
	seen := make(map[string]bool)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return Claims{}, errors.New("providers: claims are not valid JSON")
		}
		name := t.(string) // an object's member always begins with a string
		if fold := strings.ToLower(name); seen[fold] {
			return Claims{}, errors.New("providers: a claim repeats")
		} else {
			seen[fold] = true
		}
		if len(seen) > maxClaims {
			return Claims{}, errors.New("providers: too many claims")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return Claims{}, errors.New("providers: claims are not valid JSON")
		}
		c.members = append(c.members, claim{name, v})
	}
	if _, err := dec.Token(); err != nil {
		return Claims{}, errors.New("providers: claims are not valid JSON")
	}
	if dec.More() {
		return Claims{}, errors.New("providers: data after the claims")
	}
	return c, nil
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
func (c Claims) Has(name string) bool { return c.raw(name) != nil }

// String returns the claim if it is a JSON string, else "".
func (c Claims) String(name string) string {
	var s string
	if raw := c.raw(name); len(raw) > 0 && raw[0] == '"' {
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
	if json.Unmarshal(c.raw(name), &list) != nil {
		return nil
	}
	return list
}

// Bool returns the claim if it is the JSON literal true. The string "true" is
// not true (security.md JWT17).
func (c Claims) Bool(name string) bool { return string(c.raw(name)) == "true" }

// Decode stores the claim in the value pointed to by v, as json.Unmarshal does.
func (c Claims) Decode(name string, v any) error {
	raw := c.raw(name)
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

func (c Claims) raw(name string) json.RawMessage {
	for _, m := range c.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}
