package origin

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTarget is the longest redirect target in bytes (docs/threats.md R13).
const MaxTarget = 2048

// WellFormed reports whether a browser reads target byte by byte as it stands:
// it refuses what browsers strip, fold or read as a slash (RED2, RED3).
func WellFormed(target string) bool {
	if len(target) == 0 || len(target) > MaxTarget || !utf8.ValidString(target) {
		return false
	}
	return !strings.ContainsFunc(target, func(r rune) bool {
		switch r {
		case '\\', 0x7f, '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff':
			return true
		}
		return r <= ' '
	})
}

// LocalPath returns the decoded path of target, which must be well formed and
// begin with a slash: ok is false where a browser, or somebody on the way who
// cleans paths, could read another host or another path out of it (RED1-RED5).
func LocalPath(target string) (path string, ok bool) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	raw, _, _ := strings.Cut(target, "#")
	raw, _, _ = strings.Cut(raw, "?")
	folded := strings.ToLower(raw)
	switch {
	case !strings.HasPrefix(folded, "/"), strings.Contains(folded, "//"), strings.Contains(folded, "%5c"),
		strings.HasPrefix(folded, "/%2f"), strings.HasPrefix(folded, "/%20"):
		return "", false
	case strings.ContainsFunc(u.Path, unicode.IsControl): // u.Path is decoded
		return "", false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			return "", false
		}
	}
	return u.Path, true
}
