package handlers

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/internal/origin"
)

// home is where a browser goes that has no other target, or none that is allowed.
const home = "/"

// targets knows where a browser may be sent: to a path of the application, and
// to the foreign places of a closed list. The rule is that of RED1-13; what it
// does not understand completely is not a target.
type targets struct {
	prefix string // of our own routes, which are never a target
	own    origin.Origin
	others origin.List
}

// newTargets allows the origin of base and the places in allowed. The errors
// name the entry and its remedy, one for each mistake.
func newTargets(base *url.URL, prefix string, allowed []string) (targets, error) {
	others, err := origin.NewList(allowed)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, err := range joined.Unwrap() {
			errs = append(errs, fmt.Errorf("handlers: AllowedRedirects: %w", err))
		}
		err = errors.Join(errs...)
	}
	return targets{prefix: prefix, own: origin.Of(base), others: others}, err
}

// given removes the parameter from params, in either of its spellings, and
// returns its value, which is not yet judged, and whether it is there. ok is
// false where it is given twice (RED12), because readers may differ on which one
// counts; the two spellings may stand side by side with one value.
func (t targets) given(params url.Values, spellings ...string) (target string, there, ok bool) {
	var given []string
	for _, name := range spellings {
		if len(params[name]) > 1 {
			return "", true, false
		}
		given = append(given, params[name]...)
		params.Del(name)
	}
	if len(given) == 0 {
		return "", false, true
	}
	return given[0], true, len(slices.Compact(given)) == 1
}

// take is given, with home for a value that is not allowed.
func (t targets) take(params url.Values, spellings ...string) (target string, ok bool) {
	target, there, ok := t.given(params, spellings...)
	if there {
		target = t.orHome(target)
	}
	return target, ok
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
	if !origin.WellFormed(target) {
		return false
	}
	rest := target
	if !strings.HasPrefix(target, "/") {
		o, after, ok := origin.Cut(target)
		if !ok || o != t.own && !t.others.Allows(target) {
			return false
		}
		if rest = after; rest == "" {
			return true
		}
	}
	path, ok := origin.LocalPath(rest)
	return ok && !t.reserved(path)
}

// atHome reports whether target, which is allowed, is a page of the application.
func (t targets) atHome(target string) bool {
	o, _, absolute := origin.Cut(target)
	return strings.HasPrefix(target, "/") || absolute && o == t.own
}

// trusts reports whether a page of this origin may be told who is signed in: the
// application's own, and those of the list.
func (t targets) trusts(from string) bool {
	return from == t.own.String() || t.others.Trusts(from)
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
