package handlers

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goeasyauth/easyauth/internal/origin"
)

// maxTarget is the longest redirect target in bytes (R13).
const maxTarget = 2048

// home is where a browser goes that has no other target, or none that is allowed.
const home = "/"

// targets knows where a browser may be sent: to a path of the application, and
// to the absolute URLs of a closed list of origins. The rule is that of RED1-13;
// what it does not understand completely is not a target.
type targets struct {
	prefix  string // of our own routes, which are never a target
	origins map[origin.Origin]bool
}

// newTargets allows the origin of base and those of allowed. The errors name
// the entry and its remedy, one for each mistake.
func newTargets(base *url.URL, prefix string, allowed []string) (targets, error) {
	t := targets{prefix: prefix, origins: map[origin.Origin]bool{origin.Of(base): true}}
	var errs []error
	for _, entry := range allowed {
		o, err := origin.Parse(entry)
		if err != nil {
			errs = append(errs, fmt.Errorf("handlers: AllowedRedirects: %w", err))
			continue
		}
		t.origins[o] = true
	}
	return t, errors.Join(errs...)
}

// take removes the parameter from params, in either of its spellings, and
// returns its value: home where that is not allowed, and empty where none is
// given. ok is false where it is given twice (RED12), because readers may differ
// on which one counts; the two spellings may stand side by side with one value.
func (t targets) take(params url.Values, spellings ...string) (target string, ok bool) {
	var given []string
	for _, name := range spellings {
		if len(params[name]) > 1 {
			return "", false
		}
		given = append(given, params[name]...)
		params.Del(name)
	}
	if len(given) == 0 {
		return "", true
	}
	return t.orHome(given[0]), len(slices.Compact(given)) == 1
}

// orHome returns target, or home where it is not allowed.
func (t targets) orHome(target string) string {
	if !t.allows(target) {
		return home
	}
	return target
}

// allows reports whether a browser may be sent to target.
func (t targets) allows(target string) bool {
	if !wellFormed(target) {
		return false
	}
	if strings.HasPrefix(target, "/") {
		return t.allowsPath(target)
	}
	o, rest, ok := origin.Cut(target)
	return ok && t.origins[o] && (rest == "" || t.allowsPath(rest))
}

// wellFormed refuses what browsers strip, fold or read as a slash (RED2, RED3).
func wellFormed(target string) bool {
	if len(target) == 0 || len(target) > maxTarget || !utf8.ValidString(target) {
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

// allowsPath judges a target that begins with one slash.
func (t targets) allowsPath(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	raw, _, _ := strings.Cut(target, "#")
	raw, _, _ = strings.Cut(raw, "?")
	folded := strings.ToLower(raw)
	switch {
	case strings.Contains(folded, "//"), strings.Contains(folded, "%5c"),
		strings.HasPrefix(folded, "/%2f"), strings.HasPrefix(folded, "/%20"):
		return false
	case strings.ContainsFunc(u.Path, unicode.IsControl): // u.Path is decoded
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			return false
		}
	}
	return !t.reserved(u.Path)
}

// reserved reports whether the decoded path is one of our own routes in any
// spelling: being sent to one of them would be a loop, or a logout that nobody
// asked for.
func (t targets) reserved(path string) bool {
	if len(path) < len(t.prefix) || !strings.EqualFold(path[:len(t.prefix)], t.prefix) {
		return false
	}
	rest := path[len(t.prefix):]
	return rest == "" || rest[0] == '/' || rest[0] == ';'
}
