package authpath

import (
	"errors"
	"net/url"
	"strings"
)

// Default is the prefix where the configuration names no other.
const Default = "/.auth"

// Matcher matches paths against one prefix. It is immutable.
type Matcher struct {
	prefix   string
	segments []string
}

// New returns a Matcher for prefix; an empty prefix is [Default]. A prefix is
// one or more segments of letters, digits, ".", "_" and "-", each after one
// slash.
func New(prefix string) (*Matcher, error) {
	if prefix == "" {
		prefix = Default
	}
	if prefix[0] != '/' || len(prefix) == 1 || !canonical(prefix[1:]) {
		return nil, errors.New("authpath: prefix refused: want segments of letters, digits, '.', '_', '-', such as /.auth")
	}
	return &Matcher{prefix: prefix, segments: strings.Split(prefix[1:], "/")}, nil
}

// Prefix returns the prefix, without a slash at its end.
func (m *Matcher) Prefix() string { return m.prefix }

// Match says where the path of u stands. For Inside, route is what follows the
// prefix and one slash ("login/google/callback"), or empty for the prefix alone;
// it consists of non-empty segments of letters, digits, ".", "_" and "-", in the
// case they were sent in, and no dot segments. Match allocates nothing for paths
// that need no decoding.
func (m *Matcher) Match(u *url.URL) (place Place, route string) {
	if u.RawPath == "" {
		if rest, ok := strings.CutPrefix(u.Path, m.prefix); ok {
			if rest == "" {
				return Inside, ""
			}
			if rest[0] == '/' && canonical(rest[1:]) {
				return Inside, rest[1:]
			}
		}
		// A path without anything to read in two ways can only differ in case.
		if plain(u.Path) {
			if m.begins(u.Path) {
				return Reserved, ""
			}
			return Outside, ""
		}
	}
	// Some routers decide by RawPath as it stands, so it is judged too: the two
	// need not belong together once somebody has rewritten one of them.
	if m.readable(u.Path) || m.readable(u.RawPath) {
		return Reserved, ""
	}
	return Outside, ""
}

// begins reports whether path is the prefix, or goes on after it with a slash,
// in whatever case.
func (m *Matcher) begins(path string) bool {
	n := len(m.prefix)
	return len(path) >= n && (len(path) == n || path[n] == '/') && strings.EqualFold(path[:n], m.prefix)
}

// canonical reports whether rest is a list of segments that nobody reads
// differently.
func canonical(rest string) bool {
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		for i := range len(segment) {
			if c := segment[i]; !alphanumeric(c) && c != '.' && c != '_' && c != '-' {
				return false
			}
		}
	}
	return true
}

// plain reports whether path has only one reading but for its case: nothing
// that could be decoded, cut off, trimmed or cleaned away. It errs on the safe
// side; the full reading follows where it says no.
func plain(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := range len(path) {
		if suspect[path[i]] && (path[i] != '/' || i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.')) {
			return false
		}
	}
	return true
}

// suspect are the bytes that plain has to look at: the slash, which matters only
// before another one or a dot, and everything that readers treat differently.
var suspect = func() (t [256]bool) {
	for c := range t {
		t[c] = !alphanumeric(byte(c)) && !strings.ContainsRune("-._~!$&'()*+,=:@", rune(c))
	}
	return t
}()

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
