package appservice

import (
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
	also  []string        // what people write for it, and is not read
	mute  bool            // not worth naming to somebody who looks for a member
}

// or adds another documented spelling.
func (m member) or(spelling string) member {
	m.names = append(m.names, spelling)
	return m
}

// not adds a name that is not read, but shows which member is meant.
func (m member) not(name string) member {
	m.also = append(m.also, name)
	return m
}

// holding is an object that is always there.
func holding(name string, g group) member {
	return member{
		names: []string{name},
		read:  func(r *reader, path string, n node) { r.object(path, n, g.members()) },
		below: g.members,
	}
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
	return member{names: []string{name}, read: read, below: func() []member { return G(new(T)).members() }}
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

// ignored is a member that has no effect here; docs/configuration.md says why.
func ignored(name string, want kind) member {
	m := leaf(name, func(r *reader, path string, n node) { r.is(path, n, want) })
	m.mute = true
	return m
}

// refused is a member that cannot work here. It may be there as long as it says
// nothing, as in an export.
func refused(name, reason string) member {
	m := leaf(name, func(r *reader, path string, n node) {
		if !n.silent() {
			r.mistakes.Add(path, "%s", reason)
		}
	})
	m.mute = true
	return m
}

func leaf(name string, read func(r *reader, path string, n node)) member {
	return member{names: []string{name}, read: read}
}
