package appservice_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/appservice"
)

var update = flag.Bool("update", false, "write the errors into broken.txt")

const brokenFiles = "../../testdata/appservice/broken.txt"

// TestEachBrokenFileGivesOneClearMessageWithItsPath reads the files of broken.txt,
// each with one mistake, and compares the whole error: one line, the path first,
// then the reason and the remedy.
func TestEachBrokenFileGivesOneClearMessageWithItsPath(t *testing.T) {
	header, files := broken(t)
	for i, f := range files {
		err := parse(f.text)
		if err == nil {
			t.Errorf("%s is taken", f.text)
			continue
		}
		if *update {
			files[i].want = err.Error()
		} else if err.Error() != f.want {
			t.Errorf("%s\n got %s\nwant %s", f.text, err, f.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n%d messages: %s", f.text, 1+strings.Count(err.Error(), "\n"), err)
		}
	}
	if len(files) < 200 {
		t.Errorf("%d files, want 200 at least", len(files))
	}
	if *update {
		write(t, header, files)
	}
}

// TestMessagesShowNoValueOfTheFile puts a secret in the place of every text that
// is a value: whatever is wrong then, no message may carry it on.
func TestMessagesShowNoValueOfTheFile(t *testing.T) {
	const secret = "v3ry-s3cr3t-value"
	_, files := broken(t)
	shown := 0
	for _, f := range files {
		parts := strings.Split(f.text, `"`)
		for i := 1; i+1 < len(parts); i += 2 {
			if next := strings.TrimSpace(parts[i+1]); next == "" || !strings.Contains(":{", next[:1]) { // else a name
				parts[i] = secret
			}
		}
		if text := strings.Join(parts, `"`); strings.Contains(text, secret) {
			shown++
			if err := parse(text); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s\n%s", text, err)
			}
		}
	}
	if shown < 50 {
		t.Errorf("%d files with a secret: the test looks at nothing", shown)
	}
}

// parse returns what is wrong with a file where no app setting is set.
func parse(text string) error {
	_, mistakes := appservice.Parse([]byte(text), func(string) string { return "" })
	return mistakes.Err()
}

type brokenFile struct{ kind, text, want string }

func broken(t *testing.T) (header string, files []brokenFile) {
	t.Helper()
	data, err := os.ReadFile(brokenFiles)
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := strings.Cut(string(data), "\n\n")
	for block := range strings.SplitSeq(strings.TrimSpace(rest), "\n\n") {
		kind, rest, _ := strings.Cut(block, "\n")
		text, want, ok := strings.Cut(rest, "\n=> ")
		if !ok {
			t.Fatalf("%s: no error in %q", brokenFiles, block)
		}
		files = append(files, brokenFile{kind, text, want})
	}
	return header, files
}

func write(t *testing.T, header string, files []brokenFile) {
	t.Helper()
	var text strings.Builder
	text.WriteString(header + "\n")
	for _, f := range files {
		text.WriteString("\n" + f.kind + "\n" + f.text + "\n=> " + f.want + "\n")
	}
	if err := os.WriteFile(brokenFiles, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
