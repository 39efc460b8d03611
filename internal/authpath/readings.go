package authpath

import "strings"

// readable reports whether some reader takes path for one at or under the
// prefix. It reads the path once, in the most inclusive way: decoded until
// nothing is left to decode, with backslashes as slashes, without parameters,
// empty segments and single dots.
//
// A reader who decodes less sees fewer separators. That can only make the first
// segments of the path longer, never turn them into the prefix, so the inclusive
// reading decides for all, with one exception: where segments climb ("..") or
// are partly ignored (";x"), it is open what each reader drops. Then the end of
// the prefix anywhere in the path is enough.
func (m *Matcher) readable(path string) bool {
	path = decode(path)
	last := m.segments[len(m.segments)-1]
	matched, diverged := 0, false
	open, named := false, false
	for path != "" {
		sent := path
		if i := strings.IndexAny(path, `/\`); i >= 0 {
			sent, path = path[:i], path[i+1:]
		} else {
			path = ""
		}
		segment := trim(sent)
		open = open || segment == ".." || segment != sent
		if segment == "" || segment == "." || segment == ".." {
			continue
		}
		named = named || strings.EqualFold(segment, last)
		if matched < len(m.segments) {
			diverged = diverged || !strings.EqualFold(segment, m.segments[matched])
			matched++
		}
	}
	return matched == len(m.segments) && !diverged || open && named
}

// trim removes what some readers ignore in a segment: parameters, whatever a
// control character, "?" or "#" hides, and spaces around.
func trim(segment string) string {
	for i := range len(segment) {
		if c := segment[i]; c < ' ' || c == 0x7f || c == ';' || c == '?' || c == '#' {
			segment = segment[:i]
			break
		}
	}
	return strings.Trim(segment, " ")
}

// decode resolves every percent-encoded octet, those that decoding brings
// forth included, in one pass: what a byte completes is looked at again before
// the next byte is read.
func decode(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	out := make([]byte, 0, len(path))
	for i := range len(path) {
		out = append(out, path[i])
		for n := len(out); n >= 3 && out[n-3] == '%'; n = len(out) {
			hi, lo := unhex(out[n-2]), unhex(out[n-1])
			if hi < 0 || lo < 0 {
				break
			}
			out = append(out[:n-3], byte(hi<<4|lo))
		}
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
