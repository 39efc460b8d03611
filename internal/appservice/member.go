package appservice

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// group is a type of the tree: an object of which the members are known.
type group interface{ members() []member }

// member is what a group knows about one of its members.
type member struct {
	names []string // the spelling of Azure Resource Manager first
	read  func(r *reader, path string, n node)
	below func() []member // nil: holds no members of its own
}

// or adds another documented spelling.
func (m member) or(spelling string) member {
	m.names = append(m.names, spelling)
	return m
}

// holding is an object that is always there.
func holding(name string, g group) member {
	return member{[]string{name}, func(r *reader, path string, n node) { r.object(path, n, g.members()) }, g.members}
}

// present is an object of which it counts whether it is there: it stays nil where
// it says nothing.
func present[T any, G interface {
	*T
	group
}](name string, field **T) member {
	read := func(r *reader, path string, n node) {
		value := new(T)
		r.object(path, n, G(value).members())
		if !n.silent() {
			*field = value
		}
	}
	return member{[]string{name}, read, func() []member { return G(new(T)).members() }}
}

func truth(name string, field *bool) member {
	return leaf(name, func(r *reader, path string, n node) {
		if r.is(path, n, boolean) {
			*field = n.truth
		}
	})
}

// maybe is true or false where it counts whether anything was said.
func maybe(name string, field **bool) member {
	return leaf(name, func(r *reader, path string, n node) {
		if r.is(path, n, boolean) {
			*field = &n.truth
		}
	})
}

// word is a text. An empty one says nothing.
func word(name string, field *string) member {
	return leaf(name, func(r *reader, path string, n node) {
		if r.is(path, n, text) && n.text != "" {
			*field = n.text
		}
	})
}

// choice is a text that is one of the given ones, exactly.
func choice[T ~string](name string, field *T, values ...T) member {
	return leaf(name, func(r *reader, path string, n node) {
		if !r.is(path, n, text) || n.text == "" {
			return
		}
		var known []string
		for _, v := range values {
			if known = append(known, string(v)); n.text == string(v) {
				*field = v
				return
			}
		}
		if len(known) == 1 {
			r.mistakes.Add(path, "is not %s, the only value there is", known[0])
			return
		}
		r.mistakes.Add(path, "is none of %s%s", strings.Join(known, ", "), didYouMean(n.text, known))
	})
}

func words(name string, field *[]string) member {
	return leaf(name, func(r *reader, path string, n node) { *field = r.words(path, n) })
}

var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3

// scopes are words of which none may hold another one.
func scopes(field *[]string) member {
	return leaf("scopes", func(r *reader, path string, n node) {
		*field = r.words(path, n)
		for i, v := range n.items {
			if v.kind == text && v.text != "" && !scopePattern.MatchString(v.text) {
				r.mistakes.Add(Item(path, i), "is not one scope: give each scope as an element of its own")
			}
		}
	})
}

// parameters are texts of the form name=value.
func parameters(name string, field *[]Parameter) member {
	return leaf(name, func(r *reader, path string, n node) {
		seen := make(map[string]bool)
		for i, w := range r.words(path, n) {
			key, value, ok := strings.Cut(w, "=")
			switch {
			case !ok || key == "":
				r.mistakes.Add(Item(path, i), `is not of the form "name=value"`)
			case seen[key]:
				r.mistakes.Add(Item(path, i), "gives a parameter that a line before it gives already: keep one of them")
			default:
				seen[key] = true
				*field = append(*field, Parameter{key, value, Item(path, i)})
			}
		}
	})
}

func span(name string, field *time.Duration) member {
	return leaf(name, func(r *reader, path string, n node) {
		if !r.is(path, n, text) || n.text == "" {
			return
		}
		d, ok := parseTimespan(n.text)
		if !ok || d == 0 {
			r.mistakes.Add(path, `is not a time span: write hh:mm:ss or d.hh:mm:ss and more than nothing, such as "08:00:00" or "1.00:00:00"`)
			return
		}
		*field = d
	})
}

// maxHours is ten years, which no session outlives.
const maxHours = 10 * 365 * 24

// hours is a number of hours with a fraction, or a text of one: the reference of
// the file form writes it in quotes.
func hours(name string, field *time.Duration) member {
	return leaf(name, func(r *reader, path string, n node) {
		if n.kind == text && n.text == "" || n.kind != text && !r.is(path, n, number) {
			return
		}
		d, ok := parseHours(n.text)
		if !ok {
			r.mistakes.Add(path, "is not a number of hours: write one from 0 to %d, such as 72 or 0.5", maxHours)
			return
		}
		*field = d
	})
}

var hoursPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func parseHours(s string) (time.Duration, bool) {
	h, err := strconv.ParseFloat(s, 64)
	if err != nil || !hoursPattern.MatchString(s) || h > maxHours {
		return 0, false
	}
	return time.Duration(h * float64(time.Hour)), true
}

// ignored is a member that has no effect here; doc.go of the caller says why.
func ignored(name string, want kind) member {
	return leaf(name, func(r *reader, path string, n node) { r.is(path, n, want) })
}

// refused is a member that cannot work here. It may be there as long as it says
// nothing, as in an export.
func refused(name, reason string) member {
	return leaf(name, func(r *reader, path string, n node) {
		if !n.silent() {
			r.mistakes.Add(path, "%s", reason)
		}
	})
}

func leaf(name string, read func(r *reader, path string, n node)) member {
	return member{names: []string{name}, read: read}
}
