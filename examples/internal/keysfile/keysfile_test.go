package keysfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/keysfile"
	"github.com/goeasyauth/easyauth/providers"
)

func TestAMissingFileIsMadeForItsOwnerOnlyAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	made, isNew, err := keysfile.Open(path)
	if err != nil || !isNew || len(made) != 1 {
		t.Fatalf("Open gives %d keys, made %v, %v", len(made), isNew, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode().Perm(), err)
	}
	read, isNew, err := keysfile.Open(path)
	if err != nil || isNew || len(read) != 1 || !read[0].Equal(made[0]) {
		t.Errorf("read back: %d keys, made %v, %v", len(read), isNew, err)
	}
}

func TestSeveralLinesAreKeysNewestFirst(t *testing.T) {
	newest, oldest := easyauth.NewKey(), easyauth.NewKey()
	path := write(t, "# rotated today\n"+newest.Reveal()+"\n\n"+oldest.Reveal()+"\n")
	keys, _, err := keysfile.Open(path)
	if err != nil || len(keys) != 2 || !keys[0].Equal(newest) || !keys[1].Equal(oldest) {
		t.Errorf("got %d keys in another order (%v)", len(keys), err)
	}
}

func TestAFileThatIsOfNoUseIsRefusedWithItsNameAndWithoutItsContent(t *testing.T) {
	for name, path := range map[string]string{
		"no key":      write(t, "\n# nothing\n"),
		"short key":   write(t, "c2hvcnQtc2VjcmV0\n"),
		"a folder":    t.TempDir(),
		"no folder":   filepath.Join(t.TempDir(), "nowhere", "keys"),
		"not a key":   write(t, "!!!! c2hvcnQtc2VjcmV0\n"),
		"broken line": write(t, easyauth.NewKey().Reveal()+"\nc2hvcnQtc2VjcmV0"),
	} {
		keys, _, err := keysfile.Open(path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %d keys, error %v, want one that names the file", name, len(keys), err)
		} else if strings.Contains(err.Error(), "c2hvcnQtc2VjcmV0") {
			t.Errorf("%s: the error shows a line of the file: %v", name, err)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOfManyThatMakeTheFileAtOnceNobodyKeepsAnotherKey(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "keys")
		kept := make(chan providers.Secret, 8)
		var ready, done sync.WaitGroup
		ready.Add(cap(kept))
		for range cap(kept) {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				if keys, made, err := keysfile.Open(path); err == nil && made {
					kept <- keys[0]
				}
			})
		}
		done.Wait()
		close(kept)
		keys, _, err := keysfile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for key := range kept {
			if !key.Equal(keys[0]) {
				t.Fatal("a process seals with a key that is not in the file")
			}
		}
	}
}
