package providers

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// mistakes collects what is wrong with the configuration of one provider.
type mistakes struct {
	label string
	errs  []error
}

// mistakesOf begins with the alias, which may be the first of them.
func mistakesOf(alias string) *mistakes {
	m := &mistakes{label: "unnamed provider"}
	if alias != "" {
		m.label = strconv.Quote(alias)
	}
	if !namePattern.MatchString(alias) {
		m.add("Name", "must match %s: it becomes the path segment of the login URL", namePattern)
	}
	return m
}

// add notes a mistake: field, what is wrong, what to do.
func (m *mistakes) add(field, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("providers: %s: %s: "+format, append([]any{m.label, field}, args...)...))
}

func (m *mistakes) err() error { return errors.Join(m.errs...) }

// base is the address that a provider's endpoints lie under.
func (m *mistakes) base(field, address string) {
	if err := checkIssuer(address); err != nil {
		m.add(field, "%w: give the https address without a path of an endpoint, or leave it empty", err)
	}
}

func (m *mistakes) scopes(scopes []string) {
	for _, s := range scopes {
		if !scopePattern.MatchString(s) {
			m.add("Scopes", "%q is not one scope: give each scope as an element of its own", s)
		}
	}
}

func (m *mistakes) params(params url.Values, repeatable ...string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case name == "scope":
			m.add("AuthParams", "scope has a field of its own: use Scopes")
		case ownedParam(name):
			m.add("AuthParams", "%q is set anew by every login attempt: remove it", name)
		case !paramPattern.MatchString(name):
			m.add("AuthParams", "%q is not a parameter name: use letters, digits, '_', '-', '.', ':'", name)
		case len(params[name]) != 1 && !slices.Contains(repeatable, name):
			m.add("AuthParams", "%q needs exactly one value: parameters must not repeat (RFC 6749 section 3.1)", name)
		}
	}
}
