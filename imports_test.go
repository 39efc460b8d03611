package easyauth_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/goeasyauth/easyauth"

// mayImport is the map of the house: which room may open a door to which. A
// room that ends in "/..." stands for itself and every room below it; the
// longest name that fits a folder is its rule. The root is ".".
var mayImport = map[string][]string{
	".":                          {"handlers", "middleware", "session", "session/grant", "providers", "store", "store/memstore", "store/sealed", "internal/..."},
	"handlers":                   {"session", "session/grant", "providers", "internal/..."},
	"middleware":                 {"session", "session/grant", "internal/..."},
	"session":                    {"session/grant", "providers", "store", "internal/..."},
	"session/grant":              {"providers", "store", "internal/versioned"},
	"session/sessiontest":        {"session", "session/grant", "providers", "store"},
	"providers":                  {"internal/..."},
	"providers/providertest/...": {},
	"store":                      {},
	"store/memstore":             {"store"},
	"store/sealed":               {"store", "internal/seal", "internal/versioned"},
	"store/storetest":            {"store"},
	"internal/appservice":        {},
	"internal/authpath":          {},
	"internal/leaktest":          {}, // for tests of every module
	"internal/origin":            {},
	"internal/principal":         {"providers", "internal/respond"},
	"internal/respond":           {},
	"internal/seal":              {},
	"internal/testserver":        {}, // for tests of every module
	"internal/versioned":         {},

	// Modules of their own: outsiders, who see what every user of the library sees.
	"store/sqlitestore":   {"store", "store/storetest"},
	"store/redisstore":    {"store", "store/storetest"},
	"store/pgstore":       {"store", "store/storetest"},
	"session/otelsession": {"session"},
	"examples/...":        slices.Concat(public, []string{"examples/..."}),
	"e2e/...":             slices.Concat(public, []string{"e2e/..."}),
}

// public is what applications import.
var public = []string{".", "middleware", "session", "session/grant", "session/otelsession", "session/sessiontest", "providers", "providers/providertest",
	"store", "store/memstore", "store/sqlitestore", "store/redisstore", "store/pgstore"}

// onlyIn says which files may import a module of somebody else's; the rest of
// the house does not know that it exists. Tests may compare with anything.
var onlyIn = map[string][]string{
	"github.com/coreos/go-oidc":       {"providers/"},
	"github.com/go-jose/go-jose":      {"providers/"},
	"github.com/dghubble/oauth1":      {"providers/"},
	"github.com/alexedwards/scs":      {"session/scs.go"},
	"github.com/gorilla/securecookie": {"internal/seal/"},
	"golang.org/x/oauth2":             {"providers/", "session/", "examples/", "e2e/"},
	"modernc.org/sqlite":              {"store/sqlitestore/"},
	"github.com/redis/go-redis":       {"store/redisstore/", "examples/", "e2e/"},
	"github.com/jackc/pgx":            {"store/pgstore/", "examples/", "e2e/"},
	"github.com/dexidp/dex":           {"e2e/dex/"},
	"golang.org/x/crypto":             {"e2e/dex/"},
	"go.opentelemetry.io/otel":        {"session/otelsession/"},
	"github.com/go-chi/chi":           {"examples/"},
	"github.com/gin-gonic/gin":        {"examples/"},
	"github.com/chromedp":             {"e2e/"},
}

func TestImportsRunOnlyAsTheMapSays(t *testing.T) {
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		rule, known := ruleOf(f.room)
		if !known {
			t.Errorf("%s: the room %s is not on the map", f.path, f.room)
			continue
		}
		for _, target := range f.imports {
			room, ours := roomOf(target)
			if ours && !slices.ContainsFunc(rule, func(pattern string) bool { return fits(pattern, room) }) {
				t.Errorf("%s: %s may not import %s", f.path, f.room, room)
			}
		}
	}
}

func TestEachModuleOfOthersHasOneRoom(t *testing.T) {
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, target := range f.imports {
			if _, ours := roomOf(target); ours || standard(target) {
				continue
			}
			owner := ""
			for prefix := range onlyIn {
				if target == prefix || strings.HasPrefix(target, prefix+"/") {
					owner = prefix
				}
			}
			if !slices.ContainsFunc(onlyIn[owner], func(place string) bool { return strings.HasPrefix(f.path, place) }) {
				t.Errorf("%s imports %s, which belongs to %q", f.path, target, onlyIn[owner])
			}
		}
	}
}

func TestTestKitsStayOutOfTheProgram(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || strings.HasPrefix(f.room, "examples") || strings.HasSuffix(path.Base(f.room), "test") {
			continue
		}
		for _, target := range f.imports {
			if room, ours := roomOf(target); ours && strings.HasSuffix(path.Base(room), "test") {
				t.Errorf("%s imports the test kit %s", f.path, room)
			}
			if target == "testing" && !strings.HasPrefix(f.room, "e2e") && f.room != "internal/testserver" {
				t.Errorf("%s imports testing", f.path)
			}
		}
	}
}

func TestSiblingsNeverMeetInTestsEither(t *testing.T) {
	for _, f := range sources(t) {
		for _, target := range f.imports {
			room, ours := roomOf(target)
			switch {
			case !ours:
			case room == "." && !strings.HasPrefix(f.room, "examples") && !strings.HasPrefix(f.room, "e2e") && f.room != "." && f.room != "session/otelsession":
				t.Errorf("%s imports the root", f.path)
			case f.room == "handlers" && room == "middleware", f.room == "middleware" && room == "handlers":
				t.Errorf("%s imports its sibling", f.path)
			}
		}
	}
}

// source is one Go file: which room it stands in and what it imports.
type source struct {
	path    string
	room    string
	test    bool
	imports []string
}

// sources reads the heads of all Go files of the checkout, nested modules too.
func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	err := fs.WalkDir(checkout, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() && name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "ci-output") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := source{path: name, room: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
		for _, spec := range parsed.Imports {
			f.imports = append(f.imports, strings.Trim(spec.Path.Value, `"`))
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ruleOf finds the longest name on the map that fits the room.
func ruleOf(room string) ([]string, bool) {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(mayImport)), func(name string) bool { return !fits(name, room) })
	if len(names) == 0 {
		return nil, false
	}
	return mayImport[slices.MaxFunc(names, func(a, b string) int { return len(a) - len(b) })], true
}

func fits(pattern, room string) bool {
	below, ok := strings.CutSuffix(pattern, "/...")
	return pattern == room || ok && (room == below || strings.HasPrefix(room, below+"/"))
}

func roomOf(importPath string) (room string, ours bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// standard reports whether the path is of the standard library, whose first
// element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
