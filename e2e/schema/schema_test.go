package schema_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	schemaFile = "../../docs/auth.schema.json"
	samples    = "../../testdata/appservice/samples/*.json"
	brokenFile = "../../testdata/appservice/broken.txt"
)

func TestEverySampleSatisfiesTheSchemaAndTheLoader(t *testing.T) {
	schema := compile(t)
	files, err := filepath.Glob(samples)
	if err != nil || len(files) < 9 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := satisfies(t, schema, text); err != nil {
			t.Errorf("%s: the schema refuses it: %v", file, err)
		}
		if err := loads(t, text); err != nil {
			t.Errorf("%s: the loader refuses it: %v", file, err)
		}
	}
}

// TestBrokenFilesAreBrokenForTheSchemaToo reads the files that the loader's own
// tests refuse: the schema refuses those that are marked with structure, and takes
// those of which only the meaning is wrong.
func TestBrokenFilesAreBrokenForTheSchemaToo(t *testing.T) {
	schema := compile(t)
	data, err := os.ReadFile(brokenFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n\n")
	seen := make(map[string]int)
	for block := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		kind, rest, _ := strings.Cut(block, "\n")
		text, why, _ := strings.Cut(rest, "\n=> ")
		seen[kind]++
		if loads(t, []byte(text)) == nil {
			t.Errorf("the loader takes %s", text)
		}
		if kind == "syntax" {
			continue
		}
		if err := satisfies(t, schema, []byte(text)); (err == nil) != (kind == "meaning") {
			t.Errorf("%s\n%s: the loader says %s; the schema says %v", text, kind, why, err)
		}
	}
	if seen["structure"] < 150 || seen["meaning"] < 20 {
		t.Errorf("seen %v: the test looks at nothing", seen)
	}
}

// TestLoaderTakesNothingThatTheSchemaRefuses puts a value of each kind into each
// member that the schema knows, and compares the two.
func TestLoaderTakesNothingThatTheSchemaRefuses(t *testing.T) {
	schema := compile(t)
	taken, refused := 0, 0
	for _, path := range members(t) {
		for _, value := range []string{`null`, `true`, `false`, `0`, `72`, `0.5`, `-1`, `1e9`, `""`, `"x"`, `"72"`, `"08:00:00"`, `"24:00:00"`, `"/x"`, `"x=y"`,
			`[]`, `["x"]`, `["/x"]`, `["/*"]`, `["x=y"]`, `[""]`, `["a b"]`, `[null]`, `[1]`, `{}`, `{"x":null}`, `{"enabled":true}`, `{"contoso":{}}`, `{"contoso":null}`, `{"a-b":null}`} {
			text := value
			for _, name := range slices.Backward(path) {
				text = `{` + quoted(name) + `:` + text + `}`
			}
			bySchema, byLoader := satisfies(t, schema, []byte(text)), loads(t, []byte(text))
			switch {
			case byLoader == nil && bySchema != nil:
				t.Errorf("%s: the loader takes what the schema refuses: %v", text, bySchema)
			case byLoader == nil:
				taken++
			default:
				refused++
			}
		}
	}
	if taken < 200 || refused < 1000 {
		t.Errorf("%d taken, %d refused: the test looks at nothing", taken, refused)
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func satisfies(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return schema.Validate(value)
}

// loads loads the file where every secret is set and no setting of the platform.
func loads(t *testing.T, text []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := easyauth.LoadAppService(path, func(name string) (string, bool) {
		return "value", !strings.HasPrefix(name, "WEBSITE_")
	})
	return err
}

// members returns the paths of all members that the schema knows.
func members(t *testing.T) [][]string {
	t.Helper()
	type node struct {
		Ref        string           `json:"$ref"`
		Properties map[string]*node `json:"properties"`
		Defs       map[string]*node `json:"$defs"`
	}
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var paths [][]string
	var walk func(path []string, n *node)
	walk = func(path []string, n *node) {
		if n.Ref == "#/$defs/openIdConnectProviders" {
			paths = append(paths, path)
			n, path = root.Defs["openIdConnectProvider"], append(slices.Clone(path), "contoso")
		}
		if len(path) > 0 {
			paths = append(paths, path)
		}
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			walk(append(slices.Clone(path), name), n.Properties[name])
		}
	}
	walk(nil, root.Defs["settings"])
	return paths
}

func quoted(name string) string {
	text, _ := json.Marshal(name) // a string always encodes
	return string(text)
}
