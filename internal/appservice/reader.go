package appservice

import (
	"fmt"
	"slices"
	"strings"
)

// reader fills a tree from nodes and goes on after a mistake.
type reader struct {
	mistakes *Mistakes
	whole    []member // of the tree's root, to say where a misplaced member belongs
}

// object gives each member of n to its reader. Null means that the member is not
// there, which its zero value or default says already.
func (r *reader) object(path string, n node, known []member) {
	if !r.is(path, n, object) {
		return
	}
	spelled := make(map[string]string)
	for _, e := range n.members {
		place := Member(path, e.name)
		i := slices.IndexFunc(known, func(m member) bool { return slices.Contains(m.names, e.name) })
		if i < 0 {
			r.mistakes.Add(place, "unknown member%s", r.advice(path, e.name, known))
			continue
		}
		m := known[i]
		if other := spelled[m.names[0]]; other != "" {
			r.mistakes.Add(place, "is another spelling of %s, which is there already: remove one", other)
			continue
		}
		spelled[m.names[0]] = e.name
		if e.value.kind != null {
			m.read(r, place, e.value)
		}
	}
}

// words reads a list of texts. An element that is none is told, and is empty in
// what is returned: the others keep their places, by which they are spoken of.
func (r *reader) words(path string, n node) []string {
	if !r.is(path, n, list) {
		return nil
	}
	var words []string
	for i, v := range n.items {
		switch {
		case !r.is(Item(path, i), v, text):
			v.text = ""
		case v.text == "":
			r.mistakes.Add(Item(path, i), "is empty: remove it")
		}
		words = append(words, v.text)
	}
	return words
}

func (r *reader) is(path string, n node, want kind) bool {
	if n.kind == want {
		return true
	}
	r.mistakes.Add(path, "is %s: write %s", n.kind, want)
	return false
}

// advice is the remedy for a member that the object at path does not know. What
// fits one place deeper was meant for it; what fits one place of the whole tree
// was probably meant for that.
func (r *reader) advice(path, name string, known []member) string {
	if len(name) > 64 || len(r.mistakes.list) > 100 {
		return "" // this is no auth.json, and the search costs
	}
	lower := strings.ToLower(name)
	if !strings.HasSuffix(lower, "settingname") && (strings.Contains(lower, "secret") || strings.Contains(lower, "password")) {
		return ": a secret is never in this file: put it into an app setting, and the setting's name into " + settingMember(known)
	}
	var names, named []string
	for _, m := range known {
		if slices.Contains(m.also, name) {
			return fmt.Sprintf(": did you mean %s?", m.names[0])
		}
		names = append(names, m.names...)
		if !m.mute {
			named = append(named, m.names...)
		}
	}
	for _, places := range [][]string{homes(name, known, path), homes(name, r.whole, "")} {
		if len(places) == 1 {
			return ": it belongs under " + places[0]
		}
	}
	if best := nearest(name, names); best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	if len(named) == 0 {
		named = names
	}
	return ": this object has " + strings.Join(named, ", ")
}

// settingMember is the member of an object that names the setting of a secret.
func settingMember(known []member) string {
	for _, m := range known {
		if strings.HasSuffix(m.names[0], "SecretSettingName") {
			return m.names[0]
		}
	}
	return "clientSecretSettingName of the registration"
}

// homes returns the paths of the objects that have a member of that name.
func homes(name string, known []member, path string) (places []string) {
	for _, m := range known {
		if slices.Contains(m.names, name) {
			places = append(places, level(path))
		}
		if m.below != nil {
			places = append(places, homes(name, m.below(), Member(path, m.names[0]))...)
		}
	}
	return places
}

// level names a path in a sentence.
func level(path string) string {
	if path == "" {
		return "the top level"
	}
	return path
}

func didYouMean(value string, known []string) string {
	if best := nearest(value, known); best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	return ""
}
