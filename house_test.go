package easyauth_test

import (
	"flag"
	"io/fs"
	"os"
	"testing"
)

// checkout is the tree this package's tests look at as a whole.
var checkout = os.DirFS(".")

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// compareGolden compares got with the golden file, or writes it with -update.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := read(t, name); got != want {
		t.Errorf("%s differs (go test . -update writes it):\n--- want\n%s--- got\n%s", name, want, got)
	}
}

// read returns a file of the checkout.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(checkout, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
