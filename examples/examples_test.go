// Package examples_test builds the examples and runs their binaries, as a user
// does: signals, exit statuses and sudden death included. What the examples do
// beyond that is tested beside each.
package examples_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestEachExampleIsBuiltServesAndStopsWhenItIsToldTo(t *testing.T) {
	files := t.TempDir()
	for name, args := range map[string][]string{
		"quickstart": {"-addr", "127.0.0.1:0", "-store", "sqlite:" + filepath.Join(files, "db"), "-keys", filepath.Join(files, "keys")},
		"chi":        {"127.0.0.1:0"},
		"gin":        {"127.0.0.1:0"},
		"callapi":    {"127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, build(t, name), args...)
			if page := apptest.NewBrowser(t).Visit(p.base + "/"); page.Status != http.StatusOK {
				t.Errorf("the front page answers %d", page.Status)
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := p.cmd.Wait(); err != nil {
				t.Errorf("told to stop, it ends with %v: %s", err, p.output)
			}
		})
	}
}

func TestABinaryThatCannotStartExitsWithStatus2(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), build(t, "quickstart"), "-store", "nonsense").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 {
		t.Errorf("it ends with %v, want status 2: %s", err, out)
	}
}

// TestKillingQuickstartSignsNobodyOut kills quickstart without warning and
// starts it again with the same file and keys: the same cookie is signed in,
// and a refresh works, with a provider that rotates strictly.
func TestKillingQuickstartSignsNobodyOut(t *testing.T) {
	idp := httptest.NewUnstartedServer(nil)
	op := providertest.New(providertest.Config{Issuer: "http://" + idp.Listener.Addr().String(), AccessTokenLifetime: 2 * time.Second})
	idp.Config.Handler = op
	idp.Start()
	defer idp.Close()

	dir := t.TempDir()
	quickstart := build(t, "quickstart")
	t.Setenv("QUICKSTART_CLIENT_SECRET", providertest.ClientSecret)
	args := []string{"-addr", "localhost:0", "-issuer", op.Issuer(), "-client-id", providertest.ClientID,
		"-store", "sqlite:" + filepath.Join(dir, "sessions.db"), "-keys", filepath.Join(dir, "keys")}

	p := launch(t, quickstart, args...)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(p.base+"/.auth/login", "ada")
	for life := range 3 {
		before := tokenOf(ada, p.base)
		if before.SHA256 == "" {
			t.Fatalf("life %d: not signed in, or without a token", life)
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.cmd.Wait()
		args[1] = p.base[len("http://"):]
		p = launch(t, quickstart, args...)
		if page := ada.Ask(http.MethodGet, p.base+"/api/whoami", nil); page.Status != http.StatusOK {
			t.Fatalf("life %d: after kill -9 whoami answers %d: %s", life, page.Status, p.output)
		}
		apptest.Eventually(t, "the token is renewed after kill -9", func() bool {
			now := tokenOf(ada, p.base)
			return now.SHA256 != "" && now.SHA256 != before.SHA256
		})
	}
	if stats := op.Stats(); stats.ReuseDetected != 0 {
		t.Errorf("a refresh token was presented twice: %+v", stats)
	}
}

type token struct {
	SHA256 string `json:"sha256"`
}

func tokenOf(b *apptest.Browser, base string) (t token) {
	b.Ask(http.MethodGet, base+"/api/token", &t)
	return t
}

// build compiles an example and returns its binary.
func build(t *testing.T, name string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("go build ./%s: %v: %s", name, err, out)
	}
	return binary
}

// process is a running binary.
type process struct {
	cmd    *exec.Cmd
	base   string
	output *apptest.Output
}

var address = regexp.MustCompile(`Open +(http://\S+)\n`)

// launch starts a binary and waits for the address that it prints.
func launch(t *testing.T, binary string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), binary, args...), output: new(apptest.Output)}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Env = os.Environ()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	apptest.Eventually(t, "the program prints its address", func() bool {
		if found := address.FindStringSubmatch(p.output.String()); found != nil {
			p.base = found[1]
		}
		return p.base != ""
	})
	return p
}
