package easyauth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestThreatsNameTestsThatExist reads docs/threats.md: whatever stands there in
// backquotes and looks like a test is declared in some package, and every row
// names at least one or says that its time has not come.
func TestThreatsNameTestsThatExist(t *testing.T) {
	declared := make(map[string]bool)
	declaration := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*)\(`)
	for _, f := range sources(t) {
		if !f.test && !strings.HasSuffix(path.Base(f.room), "test") {
			continue
		}
		for _, match := range declaration.FindAllStringSubmatch(read(t, f.path), -1) {
			declared[path.Base(f.room)+"."+match[1]] = true
		}
	}

	named := regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*)`")
	attack := regexp.MustCompile(`^\| ([A-Z]{1,3}[0-9]+) \|`)
	rows := 0
	for _, line := range strings.Split(read(t, "docs/threats.md"), "\n") {
		names := named.FindAllStringSubmatch(line, -1)
		for _, match := range names {
			if !declared[match[1]] {
				t.Errorf("docs/threats.md names %s, which does not exist", match[1])
			}
		}
		if id := attack.FindStringSubmatch(line); id != nil {
			rows++
			if len(names) == 0 && !strings.Contains(line, "| later |") && !strings.Contains(line, "| by design |") {
				t.Errorf("docs/threats.md: %s names no test", id[1])
			}
		}
	}
	if rows == 0 {
		t.Error("docs/threats.md has no rows")
	}
}

// TestConfigurationIsWrittenDown compares docs/configuration.md with the fields
// that a user can set.
func TestConfigurationIsWrittenDown(t *testing.T) {
	page := read(t, "docs/configuration.md")
	for _, what := range []struct{ folder, name, heading string }{
		{".", "Config", "## easyauth.Config"},
		{"providers", "OIDCConfig", "## providers.OIDCConfig"},
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
