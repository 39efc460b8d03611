package sqlitestore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/store/sqlitestore"
)

func TestFileIsForItsOwnerOnly(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "key", "value")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), mode)
		}
	}
}

func TestModeOfAnExistingFileIsItsOwners(t *testing.T) {
	path := newFile(t)
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	save(t, s, "key", "value")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %q, %v", files, err)
	}
	if _, err := s.Load(t.Context(), "key"); err == nil || !strings.HasPrefix(err.Error(), "sqlitestore: load: ") {
		t.Errorf("Load after Close: %v", err)
	}
}

func TestOpenSaysWhatIsWrongInOneLine(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing := filepath.Join(folder, "missing", "store.db")
	text := write("text.db", strings.Repeat("this is not a database\n", 100))
	newer := filepath.Join(folder, "newer.db")
	open(t, newer)
	alter(t, newer, "UPDATE easyauth_meta SET format = 2")

	for _, tt := range []struct{ name, path, want string }{
		{"no path", "", `sqlitestore: open "": not a file: name one, or use package memstore`},
		{"memory", ":memory:", `sqlitestore: open ":memory:": not a file: name one, or use package memstore`},
		{"missing folder", missing, "sqlitestore: open " + missing + ": no such file or directory"},
		{"a folder", folder, "sqlitestore: open " + folder + ": unable to open database file (14)"},
		{"not a database", text, "sqlitestore: open " + text + ": file is not a database (26)"},
		{"STO2 of a newer version", newer, "sqlitestore: open " + newer + ": the file has format 2, this version of easyauth knows 1: use the version that wrote it, or another file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := sqlitestore.Open(tt.path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if err := os.Remove(filepath.Join(folder, ":memory:")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file named :memory: was made: %v", err)
	}
}

func TestAnyFileNameWillDo(t *testing.T) {
	for _, name := range []string{"with space.db", "what?.db", "a#b.db", "100%25.db", "mode=ro&cache=shared", "\u00e9t\u00e9.db", "file:x"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, path)
		save(t, s, "key", "value")
		s.Close()
		wantRows(t, path)
	}
}

func TestRelativePathIsResolvedOnce(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	s := open(t, "store.db")
	save(t, s, "key", "value")
	t.Chdir(t.TempDir())
	if e := load(t, s, "key"); string(e.Value) != "value" {
		t.Errorf("loaded %q", e.Value)
	}
	s.Close()
	wantRows(t, filepath.Join(folder, "store.db"))
}

func TestApplicationMayKeepTablesInTheFile(t *testing.T) {
	path := newFile(t)
	alter(t, path, "CREATE TABLE entries (key TEXT); INSERT INTO entries VALUES ('mine')")
	s := open(t, path)
	save(t, s, "key", "value")
	if n := count(t, path, "entries"); n != 1 {
		t.Errorf("%d rows of the application's", n)
	}
}
