package appservice

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Mistake is one thing that is wrong with an auth.json.
type Mistake struct {
	Path   string // such as login.cookieExpiration.timeToExpiration; empty: the file as a whole
	Reason string // what is wrong, and the remedy
}

func (m *Mistake) Error() string {
	if m.Path == "" {
		return m.Reason
	}
	return m.Path + ": " + m.Reason
}

// Mistakes collects what is wrong, so that all of it is told at once. The zero
// value is empty and ready to use.
type Mistakes struct {
	list  []error
	paths []string // of what Add has noted
}

// Add notes one mistake. Format and args must not show a value of the file.
func (m *Mistakes) Add(path, format string, args ...any) {
	m.list = append(m.list, &Mistake{path, fmt.Sprintf(format, args...)})
	m.paths = append(m.paths, path)
}

// Follow notes a mistake unless it may be the consequence of one that Add has
// noted at the same place, above it or below it.
func (m *Mistakes) Follow(path, format string, args ...any) {
	for _, p := range m.paths {
		if p == path || below(path, p) || below(p, path) {
			return
		}
	}
	m.list = append(m.list, &Mistake{path, fmt.Sprintf(format, args...)})
}

// Missing is Follow for a member that is not there. It may be the one beside it
// that nobody knows: who writes clientID is told of that, and not that clientId is
// missing too.
func (m *Mistakes) Missing(path, format string, args ...any) {
	if !m.Below(parent(path)) {
		m.Follow(path, format, args...)
	}
}

// Below reports whether there is a mistake at the path or below it.
func (m *Mistakes) Below(path string) bool {
	for _, p := range m.paths {
		if p == path || below(path, p) {
			return true
		}
	}
	return false
}

// Err returns the mistakes as one error, in the order in which they were found;
// nil: there are none.
func (m *Mistakes) Err() error { return errors.Join(m.list...) }

// Member returns the path of a member of the object at path.
func Member(path, name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-$<>", r)
	})
	switch {
	case len(name) > 64: // whatever this is, it is no member's name
		return path + "[...]"
	case !plain:
		return path + "[" + strconv.Quote(name) + "]"
	case path == "":
		return name
	}
	return path + "." + name
}

// Item returns the path of an element of the list at path.
func Item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Setting returns what stands for the path where an app setting is wrong.
func Setting(name string) string { return "app setting " + name }

// below reports whether the second path is somewhere below that of an object or list.
func below(path, of string) bool {
	rest, ok := strings.CutPrefix(of, path)
	return ok && path != "" && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// parent is the path of the object or list that holds the one at path.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
