package easyauth_test

import (
	"os/exec"
	"path"
	"strings"
	"testing"
)

// TestExportedAPIIsTheOneWrittenDown compares what `go doc` says about each
// exported package with testdata/api: a change of the surface, or of what it
// promises, is seen by whoever reads the diff.
func TestExportedAPIIsTheOneWrittenDown(t *testing.T) {
	rooms := make(map[string]bool)
	for _, f := range sources(t) {
		top, _, _ := strings.Cut(f.room, "/")
		if !f.test && top != "internal" && top != "examples" && top != "e2e" && f.room != "store/sqlitestore" {
			rooms[f.room] = true
		}
	}
	if len(rooms) < 8 {
		t.Fatalf("found %v only", rooms)
	}
	for room := range rooms {
		name := path.Base(room)
		if room == "." {
			name = "easyauth"
		}
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), "go", "doc", "-all", "./"+room).Output()
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, "testdata/api/"+name+".txt", string(out))
		})
	}
}
