package simulation_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts what was seen, by name, so that a run can tell how much it was
// worth.
type tally map[string]int

func (c *tally) add(name string) {
	if *c == nil {
		*c = make(tally)
	}
	(*c)[name]++
}

func (c *tally) merge(o tally) {
	if *c == nil {
		*c = make(tally)
	}
	for name, n := range o {
		(*c)[name] += n
	}
}

// line writes the tally for another process, which reads it.
func (c tally) line() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%s=%d;", name, c[name])
	}
	return b.String()
}

func (c *tally) read(line string) {
	if *c == nil {
		*c = make(tally)
	}
	for pair := range strings.SplitSeq(strings.TrimSpace(line), ";") {
		name, count, _ := strings.Cut(pair, "=")
		var n int
		if _, err := fmt.Sscan(count, &n); err == nil {
			(*c)[name] += n
		}
	}
}

func (c tally) String() string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(c)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", c[name], name)
	}
	return b.String()
}

// expected is what must have happened in two hundred seeds.
var expected = []string{
	"late winners", "probes", "replays", "superseded answers", "newborns revoked", "burials", "survivors",
	"crashes", "freezes", "deployments", "jumps of the store's clock", "sign-ins revoked by the provider",
	"reuses seen by a provider", "identities that changed", "streams ended with their sessions", "no token: in_doubt",
	"no token: held", "no token: busy", "status Service Unavailable", "status Bad Gateway", "status Forbidden",
}

// missing are the things that must happen in two hundred seeds.
func (c tally) missing() []string {
	return slices.DeleteFunc(slices.Clone(expected), func(name string) bool { return c[name] > 0 })
}
