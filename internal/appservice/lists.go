package appservice

import (
	"regexp"
	"strings"
)

// words are texts, none of them empty.
func words(name string, field *[]string) member {
	return leaf(name, func(r *reader, path string, n node) { *field = r.words(path, n) })
}

var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3

// scopes are words of which none may hold another one.
func scopes(field *[]string) member {
	return leaf("scopes", func(r *reader, path string, n node) {
		*field = r.words(path, n)
		for i, scope := range *field {
			if scope != "" && !scopePattern.MatchString(scope) {
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
			case w == "": // told
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
