package main

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

// A gateway that starts again finds its keys, and with them everybody's session.
func TestKeysAreMadeOnceAndKeptBesideTheStore(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.db")
	addr := freeAddr(t) // the development provider is found again beside the same one
	g := start(t, mirror, "-store", "sqlite:"+file, "-addr", addr)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(g.Base+"/.auth/login/aad?post_login_redirect_uri=/", "ada")
	var login struct{ AuthenticationToken string }
	ada.Ask(http.MethodGet, g.Base+"/.auth/refresh", &login)
	made := g.Stderr.String()
	for _, kept := range []string{file + ".keys", file + ".keys.signing"} {
		key, err := os.ReadFile(kept)
		if err != nil || strings.Count(made, "file="+kept+"\n") != 1 {
			t.Errorf("%s: %v; the log says %s", kept, err, made)
		}
		if strings.Contains(made, strings.TrimSpace(string(key))) {
			t.Errorf("LEA2: the key of %s is in the log", kept)
		}
	}
	g.Stop()

	again := start(t, mirror, "-store", "sqlite:"+file, "-addr", addr)
	if who := look(t, ada, again.Base+"/").Header.Get("X-MS-CLIENT-PRINCIPAL-NAME"); who != "ada@example.com" {
		t.Errorf("after a restart she is %q", who)
	}
	if page := ada.Ask(http.MethodGet, again.Base+"/.auth/refresh", nil); page.Status != http.StatusOK {
		t.Errorf("after a restart a refresh answers %d: %s", page.Status, again.Stderr)
	}
	r := get(t, again.Base+"/")
	r.Header.Set("X-Zumo-Auth", login.AuthenticationToken)
	var program seen
	read(t, do(t, r), &program)
	if who := program.Header.Get("X-MS-CLIENT-PRINCIPAL-NAME"); who != "ada@example.com" {
		t.Errorf("after a restart her session token says %q", who)
	}
	if strings.Contains(again.Stderr.String(), "key made") {
		t.Errorf("another key was made: %s", again.Stderr)
	}
}

func TestAKeyThatOthersCanReadIsWarnedOf(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	for _, suffix := range []string{"", ".signing"} {
		if err := os.WriteFile(file+suffix, []byte(easyauth.NewKey().Reveal()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	g := start(t, mirror, "-store", "sqlite:"+filepath.Join(t.TempDir(), "sessions.db"), "-keys", file)
	if log := g.Stderr.String(); strings.Count(log, "other users of this computer can read the key") != 1 || !strings.Contains(log, "file="+file+"\n") {
		t.Errorf("the log says %s", log)
	}
}

func TestKeysOfTheEnvironmentAreUsedAndNotWrittenDown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	for _, written := range []string{easyauth.NewKey().Reveal(), strings.Repeat("a1B2c3D4", 8)} { // Base64, and hexadecimal as App Service has it
		t.Setenv(encryption.variable, written)
		t.Setenv(signing.variable, written)
		g := start(t, mirror, "-store", "sqlite:"+file)
		ada := apptest.NewBrowser(t)
		ada.SignedIn(g.Base+"/.auth/login/aad?post_login_redirect_uri=/", "ada")
		if who := look(t, ada, g.Base+"/").Header.Get("X-MS-CLIENT-PRINCIPAL-NAME"); who != "ada@example.com" {
			t.Errorf("she is %q", who)
		}
		g.Stop()
		if kept, _ := filepath.Glob(file + ".keys*"); kept != nil || strings.Contains(g.Stderr.String(), "key made") {
			t.Errorf("keys were made all the same: %s", kept)
		}
	}
}

// The keys of sessions on a server are kept by the user, not beside the sessions.
func TestKeysArePlacedWhereTheirSessionsAreNotOrNowhere(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	home := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "easyauth-gateway", "keys")
	for store, want := range map[string]string{
		"memory":                   "",
		"sqlite:/var/db":           "/var/db.keys",
		"redis://127.0.0.1:6379":   home,
		"postgres://127.0.0.1/app": home,
	} {
		opts, err := parseOptions([]string{"-dev", "-upstream", "http://127.0.0.1:9000", "-store", store}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := opts.keysPlace(); got != want || err != nil {
			t.Errorf("%s: keys at %q, %v, want %q", store, got, err, want)
		}
		opts.keysFile = "named"
		if got, _ := opts.keysPlace(); got != "named" {
			t.Errorf("%s: keys at %q, though -keys names a file", store, got)
		}
	}
}

// freeAddr is an address that nobody listens on right now, and whose port the
// system does not give to anybody by itself.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+2*rand.N(5_000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}
