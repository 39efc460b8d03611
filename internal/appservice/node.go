package appservice

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// kind is what a JSON value is, in the words of the messages.
type kind string

const (
	null    kind = "null"
	boolean kind = "true or false"
	number  kind = "a number"
	text    kind = "a text"
	list    kind = "a list"
	object  kind = "an object"
)

// node is one JSON value. Members keep their order, so that mistakes are told in
// the order of the file.
type node struct {
	kind    kind
	text    string // of a text, and of a number as it is written
	truth   bool
	items   []node
	members []entry
}

type entry struct {
	name  string
	value node
}

const (
	maxSize  = 1 << 20
	maxDepth = 32
)

// scan reads the whole text. It stops at the first character that is not JSON,
// but goes on after a member that occurs twice.
func scan(data []byte, mistakes *Mistakes) (node, bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows begin with it
	switch {
	case len(data) > maxSize:
		mistakes.Add("", "is larger than 1 MiB: no auth.json is")
		return node{}, false
	case !utf8.Valid(data):
		mistakes.Add("", "is not UTF-8: save it in that encoding")
		return node{}, false
	}
	s := &scanner{data: data, decoder: json.NewDecoder(bytes.NewReader(data)), mistakes: mistakes}
	s.decoder.UseNumber()
	root, ok := s.value("", 0)
	if !ok {
		return node{}, false
	}
	if _, err := s.decoder.Token(); !errors.Is(err, io.EOF) {
		mistakes.Add("", "%s: something follows the closing brace: remove it", s.position())
		return node{}, false
	}
	return root, true
}

type scanner struct {
	data     []byte
	decoder  *json.Decoder
	mistakes *Mistakes
}

func (s *scanner) value(path string, depth int) (node, bool) {
	token, err := s.decoder.Token()
	if err != nil {
		return node{}, s.refuse(path)
	}
	switch t := token.(type) {
	case bool:
		return node{kind: boolean, truth: t}, true
	case json.Number:
		return node{kind: number, text: t.String()}, true
	case string:
		return node{kind: text, text: t}, true
	case json.Delim:
		if depth == maxDepth {
			s.mistakes.Add(path, "is nested deeper than anything in an auth.json: remove it")
			return node{}, false
		}
		if t == '[' {
			return s.list(path, depth)
		}
		return s.object(path, depth)
	}
	return node{kind: null}, true
}

func (s *scanner) list(path string, depth int) (node, bool) {
	n := node{kind: list}
	for s.decoder.More() {
		v, ok := s.value(Item(path, len(n.items)), depth+1)
		if !ok {
			return node{}, false
		}
		n.items = append(n.items, v)
	}
	if _, err := s.decoder.Token(); err != nil {
		return node{}, s.refuse(path)
	}
	return n, true
}

func (s *scanner) object(path string, depth int) (node, bool) {
	n := node{kind: object}
	seen := make(map[string]bool)
	for s.decoder.More() {
		token, err := s.decoder.Token()
		if err != nil {
			return node{}, s.refuse(path)
		}
		name, _ := token.(string) // the decoder lets nothing else be a name
		v, ok := s.value(Member(path, name), depth+1)
		if !ok {
			return node{}, false
		}
		if seen[name] {
			s.mistakes.Add(Member(path, name), "occurs twice: which one counts would be a guess, remove one")
			continue
		}
		seen[name] = true
		n.members = append(n.members, entry{name, v})
	}
	if _, err := s.decoder.Token(); err != nil {
		return node{}, s.refuse(path)
	}
	return n, true
}

// silent reports whether the value says nothing: null, as exports of Azure
// Resource Manager write for every member that is not set, an empty text, or
// nothing but such values.
func (n node) silent() bool {
	switch n.kind {
	case null:
		return true
	case text:
		return n.text == ""
	case list:
		return len(n.items) == 0
	case object:
		for _, m := range n.members {
			if !m.value.silent() {
				return false
			}
		}
		return true
	}
	return false
}
