package middleware

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// excluded are the paths that the gate does not close.
type excluded struct {
	exact map[string]bool
	under []string // each ends in a slash
}

// newExcluded reads the patterns. A pattern that could match more than its author
// meant is refused (docs/threats.md PTH8).
func newExcluded(patterns []string) (excluded, error) {
	x := excluded{exact: make(map[string]bool)}
	var errs []error
	for _, pattern := range patterns {
		path, wild := strings.CutSuffix(pattern, "/*")
		switch {
		case wild && path == "":
			errs = append(errs, fmt.Errorf("middleware: Gate.ExcludedPaths: %q excludes everything: use AllowAnonymous", pattern))
		case !oneReading(path) || strings.ContainsAny(path, "*?"):
			errs = append(errs, fmt.Errorf("middleware: Gate.ExcludedPaths: %q refused: use a decoded path such as /health, or /public/* for all below it", pattern))
		case wild:
			x.under = append(x.under, path+"/")
		default:
			x.exact[path] = true
		}
	}
	return x, errors.Join(errs...)
}

// has reports whether the path is excluded. What the application will make of a
// path with more than one reading nobody knows, so it is not.
func (x excluded) has(u *url.URL) bool {
	if len(x.exact) == 0 && len(x.under) == 0 || u.RawPath != "" || !oneReading(u.Path) {
		return false
	}
	if x.exact[u.Path] {
		return true
	}
	for _, prefix := range x.under {
		if strings.HasPrefix(u.Path, prefix) {
			return true
		}
	}
	return false
}

// oneReading reports whether everybody takes a decoded path for the same one:
// there is nothing in it that some reader decodes again, cuts off, trims, or
// climbs by.
func oneReading(path string) bool {
	if path == "" || path[0] != '/' || !utf8.ValidString(path) {
		return false
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || strings.IndexByte(`%\;?#`, c) >= 0 {
			return false
		}
	}
	for rest := path[1:]; ; {
		segment, after, more := strings.Cut(rest, "/")
		if strings.Trim(segment, ". ") == "" && (more || segment != "") {
			return false // empty, or dots that some reader climbs by; an empty one may end the path
		}
		if !more {
			return true
		}
		rest = after
	}
}
