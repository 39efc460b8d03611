package appservice

import (
	"bytes"
	"fmt"
)

// refuse explains where the text stops being JSON, in the words of somebody who
// wrote it by hand. It returns false, for its callers to hand on.
func (s *scanner) refuse(path string) bool {
	s.mistakes.Add(path, "%s: %s", s.position(), s.explain())
	return false
}

// position is the line and the column, counted in bytes from 1, of what could
// not be read.
func (s *scanner) position() string {
	at, _ := s.stop()
	line := 1 + bytes.Count(s.data[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(s.data[:at], '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}

func (s *scanner) explain() string {
	at, before := s.stop()
	if at == len(s.data) {
		return "the file ends in the middle: a closing brace, bracket or quote is missing"
	}
	switch c := s.data[at]; {
	case c == '/' || c == '#':
		return "a comment: JSON has none, remove it"
	case (c == '}' || c == ']') && before == ',':
		return "a comma with nothing behind it: remove the comma"
	case c == '}' || c == ']':
		return "a brace or bracket closes what is not complete: give the value, or close what is open"
	case c == '"' && before == 0:
		return "a comma or a colon is missing before this text"
	case c == '"':
		return `a text that cannot be read: close it on its line, and write \ as \\`
	case c == '\'':
		return `single quotes: JSON has double quotes only`
	case c == '<':
		return "a placeholder of the documentation: put the value in its place"
	case c == ',' || c == ':':
		return "a comma or a colon too many, or a value is missing before it"
	case before == 0:
		return "a comma or a colon is missing before this"
	}
	return `no JSON value: a text stands in double quotes, true, false and null are in lower case, numbers are plain`
}

// stop is where the first thing begins that could not be read, and which comma,
// colon or opening bracket stands before it; 0: none of them.
func (s *scanner) stop() (at int, before byte) {
	at = int(s.decoder.InputOffset())
	if at > 0 && (s.data[at-1] == '{' || s.data[at-1] == '[' || s.data[at-1] == ',' || s.data[at-1] == ':') {
		before = s.data[at-1]
	} else if at == 0 {
		before = '{'
	}
	for ; at < len(s.data); at++ {
		switch c := s.data[at]; c {
		case ' ', '\t', '\r', '\n':
		case ',', ':':
			if before == ',' || before == ':' {
				return at, before
			}
			before = c
		default:
			return at, before
		}
	}
	return at, before
}
