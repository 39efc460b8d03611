package easyauth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThreatsNameTestsThatExist reads docs/threats.md: a row names tests that
// are declared, or says why there is none, and every attack that a test speaks
// of has its row.
func TestThreatsNameTestsThatExist(t *testing.T) {
	declared, texts := tests(t)
	row := regexp.MustCompile(`^\| ([A-Z]{1,3}[0-9]+) \|.* \| ([^|]*) \|$`)
	named := regexp.MustCompile("`([a-z0-9]+)\\.([A-Za-z0-9_]+)`")
	rows := make(map[string]bool)
	for _, line := range strings.Split(read(t, "docs/threats.md"), "\n") {
		match := row.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		id, names := match[1], named.FindAllStringSubmatch(match[2], -1)
		if rows[id] {
			t.Errorf("docs/threats.md: two rows for %s", id)
		}
		rows[id] = true
		if len(names) == 0 && match[2] != "later" && match[2] != "by design" {
			t.Errorf("docs/threats.md: %s names no test", id)
		}
		for _, name := range names {
			if !declared[name[1]+"."+name[2]] {
				t.Errorf("docs/threats.md: %s names %s.%s, which does not exist", id, name[1], name[2])
			}
		}
		for _, file := range regexp.MustCompile(`[a-z/]+\.go`).FindAllString(line, -1) {
			if _, err := fs.Stat(checkout, file); err != nil {
				t.Errorf("docs/threats.md: %s: %v", id, err)
			}
		}
	}
	for name, text := range texts {
		for _, id := range regexp.MustCompile(`\b(?:RED|LOG|MIX|REP|SES|COO|HDR|PTH|CSR|CAC|HST|JWT|IDP|LEA|DOS|RAC|STO|CDL)[0-9]+\b`).FindAllString(text, -1) {
			if !rows[id] {
				t.Errorf("the tests of %s speak of %s, which docs/threats.md does not know", name, id)
			}
		}
	}
}

// tests returns the declared tests as "package.TestName", and the text of all
// tests of each package.
func tests(t *testing.T) (declared map[string]bool, texts map[string]string) {
	t.Helper()
	declared, texts = make(map[string]bool), make(map[string]string)
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*)\(`)
	for _, f := range sources(t) {
		if !f.test || f.path == "docs_test.go" {
			continue
		}
		name, text := path.Base(f.room), read(t, f.path)
		if f.room == "." {
			name = "easyauth"
		}
		texts[name] += text
		for _, match := range declaration.FindAllStringSubmatch(text, -1) {
			declared[name+"."+match[1]] = true
		}
	}
	return declared, texts
}

// TestConfigurationIsWrittenDown compares docs/configuration.md with the fields
// that a user can set.
func TestConfigurationIsWrittenDown(t *testing.T) {
	page := read(t, "docs/configuration.md")
	for _, what := range []struct{ folder, name, heading string }{
		{".", "Config", "## easyauth.Config"},
		{"providers", "OIDCConfig", "## providers.OIDCConfig"},
		{"middleware", "Gate", "## middleware.Gate"},
		{"middleware", "ForwardProxy", "## middleware.ForwardProxy"},
	} {
		_, section, found := strings.Cut(page, what.heading+"\n")
		if !found {
			t.Errorf("docs/configuration.md has no section %q", what.heading)
			continue
		}
		section, _, _ = strings.Cut(section, "\n##")
		fields := structFields(t, what.folder, what.name)
		if len(fields) == 0 {
			t.Errorf("%s: no struct %s", what.folder, what.name)
		}
		for _, field := range fields {
			if !strings.Contains(section, "| `"+field+"` |") {
				t.Errorf("%s: no row for %s", what.heading, field)
			}
		}
		for _, match := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(section, -1) {
			if !slices.Contains(fields, match[1]) {
				t.Errorf("%s: a row for %s, which is no field", what.heading, match[1])
			}
		}
	}
}

// structFields are the exported fields of a struct type declared in folder.
func structFields(t *testing.T, folder, name string) (fields []string) {
	t.Helper()
	for _, f := range sources(t) {
		if f.room != folder || f.test {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, read(t, f.path), 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, ident := range field.Names {
						if ident.IsExported() {
							fields = append(fields, ident.Name)
						}
					}
				}
			}
			return false
		})
	}
	return fields
}
