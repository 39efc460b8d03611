package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/apptest"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestARealProviderTakesTheBuiltInOnesPlace runs against a provider that
// quickstart knows only by its flags, over a restart: the cookie is still
// signed in, and refreshing works, because the provider outlived the restart.
func TestARealProviderTakesTheBuiltInOnesPlace(t *testing.T) {
	idp := httptest.NewUnstartedServer(nil)
	op := providertest.New(providertest.Config{
		Issuer: "http://" + idp.Listener.Addr().String(), AccessTokenLifetime: 3 * time.Second, RequireConsentForOffline: true,
		Clients: []providertest.Registration{{ID: "me", Secret: "hush"}},
	})
	idp.Config.Handler = op
	idp.Start()
	defer idp.Close()
	dir := t.TempDir()
	run := func(addr string) *apptest.Program {
		return apptest.Start(t, func(ctx context.Context, stdout, stderr io.Writer) int {
			return run(ctx, []string{"-addr", addr, "-issuer", op.Issuer(), "-client-id", "me", "-client-secret", "hush",
				"-store", "sqlite:" + filepath.Join(dir, "sessions.db"), "-keys", filepath.Join(dir, "keys"), "-v"}, stdout, stderr)
		})
	}

	program := run("localhost:0") // the provider has the other name
	ada := apptest.NewBrowser(t)
	page := ada.SignedIn(program.Base+"/.auth/login?post_login_redirect_uri=%2F", "ada")
	if page.Status != http.StatusOK || strings.Contains(string(page.Body), `id="revoke"`) {
		t.Fatalf("the page answers %d, with the buttons of the development provider: %v", page.Status, strings.Contains(string(page.Body), `id="revoke"`))
	}
	if page := ada.Ask(http.MethodPost, "/dev/revoke", nil); page.Status < 400 {
		t.Errorf("the controls of the development provider answer %d", page.Status)
	}
	first := tokenFor(t, ada)
	if code := program.Stop(); code != exitOK {
		t.Fatalf("the first run ends with status %d: %s", code, program.Stderr)
	}

	again := run(strings.TrimPrefix(program.Base, "http://"))
	var me sessionAnswer
	if page := ada.Ask(http.MethodGet, again.Base+"/api/whoami", &me); page.Status != http.StatusOK || me.Provider != "oidc" || me.UserID != "sub-ada" {
		t.Fatalf("after a restart whoami answers %d %+v", page.Status, me)
	}
	apptest.Eventually(t, "the token is renewed after a restart", func() bool {
		now := tokenFor(t, ada)
		return now.status == http.StatusOK && now.SHA256 != first.SHA256
	})
	for _, secret := range op.Secrets() {
		if log := program.Stderr.String() + again.Stderr.String(); strings.Contains(log, secret) {
			t.Error("a secret of the provider is in the log")
		}
	}
}

// TestTheBuiltInProviderSurvivesARestartToo: the session lives on in the store,
// and the grants that it lives by in the provider's own memory beside it.
func TestTheBuiltInProviderSurvivesARestartToo(t *testing.T) {
	dir := t.TempDir()
	addr := addressWithRoomBeside(t)
	files := func(opts *options) {
		hurried(opts)
		opts.addr, opts.store.Store, opts.keysFile = addr, "sqlite:"+filepath.Join(dir, "sessions.db"), filepath.Join(dir, "keys")
	}
	program := start(t, files)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	first := tokenFor(t, ada)
	program.Stop()

	again := start(t, files)
	if page := ada.Ask(http.MethodGet, again.Base+"/api/whoami", nil); page.Status != http.StatusOK {
		t.Fatalf("after a restart whoami answers %d", page.Status)
	}
	if page := ada.Ask(http.MethodGet, again.Base+"/.auth/refresh", nil); page.Status != http.StatusOK {
		t.Fatalf("after a restart refresh answers %d: %s", page.Status, page.Body)
	}
	if now := tokenFor(t, ada); now.status != http.StatusOK || now.SHA256 == first.SHA256 {
		t.Errorf("after a restart the token answers %d, and is the old one: %v", now.status, now.SHA256 == first.SHA256)
	}
}

// addressWithRoomBeside is an address whose port and the next one, which the
// development provider takes, are free.
func addressWithRoomBeside(t *testing.T) string {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		beside, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		l.Close()
		if err == nil {
			beside.Close()
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no two free ports in a row")
	return ""
}

// TestSigningOutAfterARestartEndsOnThePage although the provider cannot know
// the ID token that the session still holds.
func TestSigningOutAfterARestartEndsOnThePage(t *testing.T) {
	dir := t.TempDir()
	files := func(opts *options) {
		opts.store.Store, opts.keysFile = "sqlite:"+filepath.Join(dir, "sessions.db"), filepath.Join(dir, "keys")
	}
	program := start(t, files)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	program.Stop()

	again := start(t, func(opts *options) { files(opts); opts.addr = strings.TrimPrefix(program.Base, "http://") })
	page := ada.Visit(again.Base + "/")
	if page = ada.Click(link(t, page, "sign-out")); page.Status != http.StatusOK || page.URL.String() != again.Base+"/?signed_out" {
		t.Errorf("signing out after a restart ends at %s with %d: %s", page.URL, page.Status, page.Body)
	}
}

func TestARotatedKeyKeepsEverybodySignedInUntilTheOldOneIsGone(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	files := func(opts *options) {
		opts.store.Store, opts.keysFile = "sqlite:"+filepath.Join(dir, "sessions.db"), keys
	}
	program := start(t, files)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	program.Stop()
	sameAddress := func(opts *options) { files(opts); opts.addr = strings.TrimPrefix(program.Base, "http://") }

	old := readFile(t, keys)
	added := newKeyLine()
	writeFile(t, keys, added+old)
	program = start(t, sameAddress)
	if page := ada.Ask(http.MethodGet, program.Base+"/api/whoami", nil); page.Status != http.StatusOK {
		t.Errorf("with a new key before the old one whoami answers %d", page.Status)
	}
	program.Stop()

	writeFile(t, keys, newKeyLine())
	program = start(t, sameAddress)
	if page := ada.Ask(http.MethodGet, program.Base+"/api/whoami", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("without the key whoami answers %d, want 401", page.Status)
	}
	if page := ada.Visit(program.Base + "/"); page.Status != http.StatusOK {
		t.Errorf("without the key the page answers %d", page.Status)
	}
}

func newKeyLine() string { return easyauth.NewKey().Reveal() + "\n" }

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
