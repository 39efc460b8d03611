package providertest

import (
	"html"
	"regexp"
	"strings"
)

// tag is the start of an HTML element.
type tag struct {
	name string
	attr map[string]string
}

var (
	hidden    = regexp.MustCompile(`(?is)<!--.*?-->|<script\b.*?</script>|<style\b.*?</style>`)
	startTag  = regexp.MustCompile(`(?s)<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)\s*/?>`)
	attribute = regexp.MustCompile(`(?s)([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?`)
)

// tags returns the start tags of a document in their order. It is no HTML
// parser: it reads well-formed pages, which those of login flows are.
func tags(document string) []tag {
	var list []tag
	for _, m := range startTag.FindAllStringSubmatch(hidden.ReplaceAllString(document, ""), -1) {
		t := tag{name: strings.ToLower(m[1]), attr: make(map[string]string)}
		for _, a := range attribute.FindAllStringSubmatch(m[2], -1) {
			t.attr[strings.ToLower(a[1])] = html.UnescapeString(a[2] + a[3] + a[4])
		}
		list = append(list, t)
	}
	return list
}
