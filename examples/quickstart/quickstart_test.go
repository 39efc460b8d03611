package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// start runs quickstart on a free port, with its files in a folder of the
// test's own and whatever edit changes.
func start(t *testing.T, edit func(*options)) *apptest.Program {
	t.Helper()
	opts, err := parseOptions([]string{"-addr", "127.0.0.1:0", "-store", "memory", "-keys", filepath.Join(t.TempDir(), "keys")}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&opts)
	}
	return apptest.Start(t, func(ctx context.Context, stdout, stderr io.Writer) int {
		return serveQuickstart(ctx, opts, stdout, stderr)
	})
}

// hurried makes access tokens so short that a test can watch one being renewed.
func hurried(opts *options) { opts.tokenLifetime, opts.outage = 3*time.Second, 6*time.Second }

func TestAPersonSignsInWatchesARefreshAndSignsOut(t *testing.T) {
	t.Parallel()
	program := start(t, hurried)
	ada := apptest.NewBrowser(t)

	front := ada.Visit(program.Base + "/")
	if !strings.Contains(string(front.Body), `id="sign-in"`) || strings.Contains(string(front.Body), `id="user-name"`) {
		t.Fatalf("a stranger is shown:\n%s", front.Body)
	}
	page := ada.SignedIn("/.auth/login?post_login_redirect_uri=%2F", "ada")
	if page.Status != http.StatusOK || page.URL.String() != program.Base+"/" || !strings.Contains(string(page.Body), `id="user-name">Ada<`) {
		t.Fatalf("signing in ends at %s with %d:\n%s", page.URL, page.Status, page.Body)
	}
	for _, id := range []string{"refresh-now", "revoke", "fail-provider", "sign-out"} {
		if !strings.Contains(string(page.Body), `id="`+id+`"`) {
			t.Errorf("the page has no #%s", id)
		}
	}

	var me sessionAnswer
	ada.Ask(http.MethodGet, "/api/whoami", &me)
	if me.Provider != "dev" || me.UserID != "sub-ada" || me.Name != "Ada" || time.Until(me.ExpiresAt).Round(time.Hour) != 8*time.Hour {
		t.Errorf("whoami answers %+v", me)
	}
	first := tokenFor(t, ada)
	if first.status != http.StatusOK || len(first.SHA256) != 2*sha256.Size || first.Phase != "fresh" || first.ExpiresAt == nil {
		t.Fatalf("token answers %+v", first)
	}
	apptest.Eventually(t, "the token is renewed without a click", func() bool {
		now := tokenFor(t, ada)
		return now.status == http.StatusOK && now.SHA256 != first.SHA256
	})
	log := follow(t, ada, program.Base, "")
	log.wants(t, kindStarted, kindRefreshed)

	signOut := link(t, page, "sign-out")
	if page := ada.Click(signOut); page.Status != http.StatusOK || page.URL.String() != program.Base+"/?signed_out" || !strings.Contains(string(page.Body), "You are signed out") || page.Hop("/logout") == nil {
		t.Errorf("signing out ends at %s with %d:\n%s", page.URL, page.Status, page.Body)
	}
	if page := ada.Ask(http.MethodGet, "/api/whoami", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("signed out, whoami answers %d", page.Status)
	}
	if front := ada.Visit(program.Base + "/"); !strings.Contains(string(front.Body), `id="sign-in"`) {
		t.Error("signed out, the page still shows a user")
	}
	log.wants(t, kindEnded)
	log.ends(t)
}

func TestRefreshNowAnswers200(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	if page := ada.Ask(http.MethodGet, "/.auth/refresh", nil); page.Status != http.StatusOK {
		t.Errorf("refresh answers %d", page.Status)
	}
}

func TestARevokedGrantIsToldAndASignInHeals(t *testing.T) {
	t.Parallel()
	program := start(t, hurried)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	log := follow(t, ada, program.Base, "")
	if page := ada.Ask(http.MethodPost, "/dev/revoke", nil); page.Status != http.StatusOK {
		t.Fatalf("revoke answers %d: %s", page.Status, page.Body)
	}
	var last tokenAnswer
	apptest.Eventually(t, "the token cannot be renewed", func() bool {
		last = tokenFor(t, ada)
		return last.status != http.StatusOK
	})
	if last.status != http.StatusUnauthorized || last.Error != errReauthRequired || last.Reason != "revoked" {
		t.Errorf("token answers %+v", last)
	}
	if page := ada.Ask(http.MethodGet, "/.auth/refresh", nil); page.Status != http.StatusForbidden {
		t.Errorf("refresh answers %d, want 403", page.Status)
	}
	if page := ada.Ask(http.MethodGet, "/api/whoami", nil); page.Status != http.StatusOK {
		t.Errorf("the session is gone with the grant: whoami answers %d", page.Status)
	}
	log.wants(t, kindStarted, kindFailed)
	if failed := log.told[len(log.told)-1]; !strings.Contains(failed, "revoked") {
		t.Errorf("the log does not say why: %s", failed)
	}
	if page := ada.SignedIn(program.Base+"/.auth/login?post_login_redirect_uri=%2F", "ada"); page.Status != http.StatusOK {
		t.Fatalf("signing in again ends with %d", page.Status)
	}
	if now := tokenFor(t, ada); now.status != http.StatusOK {
		t.Errorf("after signing in again token answers %+v", now)
	}
}

func TestAnOutageOfTheProviderSignsNobodyOutAndPasses(t *testing.T) {
	t.Parallel()
	program := start(t, hurried)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	first := tokenFor(t, ada)
	if page := ada.Ask(http.MethodPost, "/dev/fail", nil); page.Status != http.StatusOK {
		t.Fatalf("fail answers %d: %s", page.Status, page.Body)
	}
	apptest.Eventually(t, "the token dies for want of a provider", func() bool {
		now := tokenFor(t, ada)
		if now.status == http.StatusOK && now.SHA256 != first.SHA256 {
			t.Fatal("a provider that fails renewed the token")
		}
		return now.status == http.StatusServiceUnavailable && now.RetryAfter >= 1
	})
	if page := ada.Ask(http.MethodGet, "/.auth/refresh", nil); page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" {
		t.Errorf("refresh answers %d, Retry-After %q", page.Status, page.Header.Get("Retry-After"))
	}
	if page := ada.Ask(http.MethodGet, "/api/whoami", nil); page.Status != http.StatusOK {
		t.Errorf("whoami answers %d during the outage", page.Status)
	}
	if page := ada.Visit(program.Base + "/"); page.Status != http.StatusOK || !strings.Contains(string(page.Body), `id="user-name"`) {
		t.Errorf("the page answers %d during the outage", page.Status)
	}
	apptest.Eventually(t, "the token is renewed after the outage", func() bool {
		now := tokenFor(t, ada)
		return now.status == http.StatusOK && now.SHA256 != first.SHA256
	})
}

func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	eve := apptest.NewBrowser(t)
	for _, request := range []struct{ method, path string }{
		{http.MethodGet, "/api/whoami"}, {http.MethodGet, "/api/token"}, {http.MethodGet, "/events"},
		{http.MethodPost, "/dev/revoke"}, {http.MethodPost, "/dev/fail"},
	} {
		if page := eve.Ask(request.method, program.Base+request.path, nil); page.Status != http.StatusUnauthorized {
			t.Errorf("%s %s answers a stranger %d", request.method, request.path, page.Status)
		}
	}
}

// TestAnotherSiteCannotPressTheButtons sends what a form on another site would
// send, cookie included (CSR10).
func TestAnotherSiteCannotPressTheButtons(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	for _, path := range []string{"/dev/revoke", "/dev/fail"} {
		for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, program.Base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, cookie := range ada.Cookies(program.Base) {
				req.AddCookie(cookie)
			}
			req.Header.Set(header, value)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %s: %s answers %d", path, header, value, resp.StatusCode)
			}
		}
	}
	if now := tokenFor(t, ada); now.status != http.StatusOK {
		t.Errorf("token answers %+v", now)
	}
}

func TestTheApplicationHasOneNameOnThisComputer(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	other := strings.Replace(program.Base, "127.0.0.1", "localhost", 1)
	page := apptest.NewBrowser(t).Visit(other + "/?a=b%2Fc")
	if want := program.Base + "/?a=b%2Fc"; page.URL.String() != want || page.Status != http.StatusOK {
		t.Errorf("%s ends at %s with %d, want %s", other, page.URL, page.Status, want)
	}
	issuer := program.Stdout.String()
	if !strings.Contains(issuer, "Provider  http://localhost:") {
		t.Errorf("the provider shares the application's cookies: %s", issuer)
	}
}

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

// TestTheBuiltInProviderIsFoundAtTheSameAddressAfterARestart, because its
// address is its issuer, and an issuer is part of who somebody is.
func TestTheBuiltInProviderIsFoundAtTheSameAddressAfterARestart(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:8080": 8081, "127.0.0.1:0": 0, "127.0.0.1:65535": 0, "127.0.0.1:http": 0} {
		if got := (&app{options: options{addr: addr}}).portBeside(); got != want {
			t.Errorf("beside %s the provider takes port %d, want %d", addr, got, want)
		}
	}
}

// TestARestartOfTheBuiltInProviderIsExplained: the session survives, the
// provider's grants do not, and the page says so.
func TestARestartOfTheBuiltInProviderIsExplained(t *testing.T) {
	dir := t.TempDir()
	files := func(opts *options) {
		hurried(opts)
		opts.sqliteFile, opts.keysFile = filepath.Join(dir, "sessions.db"), filepath.Join(dir, "keys")
	}
	program := start(t, files)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	program.Stop()

	again := start(t, func(opts *options) { files(opts); opts.addr = strings.TrimPrefix(program.Base, "http://") })
	if page := ada.Ask(http.MethodGet, again.Base+"/api/whoami", nil); page.Status != http.StatusOK {
		t.Fatalf("after a restart whoami answers %d", page.Status)
	}
	apptest.Eventually(t, "the new provider refuses the old grant", func() bool {
		now := tokenFor(t, ada)
		return now.status == http.StatusUnauthorized && now.Error == errReauthRequired
	})
	page := ada.Visit(again.Base + "/")
	if !strings.Contains(string(page.Body), "an earlier run of quickstart") {
		t.Error("the page does not explain what happened")
	}
	if page := ada.Click(link(t, page, "sign-out")); page.Status != http.StatusOK || page.URL.Path != "/" {
		t.Errorf("signing out after a restart ends at %s with %d: %s", page.URL, page.Status, page.Body)
	}
}

func TestARotatedKeyKeepsEverybodySignedInUntilTheOldOneIsGone(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	files := func(opts *options) { opts.sqliteFile, opts.keysFile = filepath.Join(dir, "sessions.db"), keys }
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

func TestBaseURLIsWhereABrowserOfThisComputerGetsToTheListener(t *testing.T) {
	at := &net.TCPAddr{Port: 8080}
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"localhost:0":    "http://localhost:8080",
		":8080":          "http://127.0.0.1:8080",
		"0.0.0.0:8080":   "http://127.0.0.1:8080",
		"[::]:8080":      "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		if got := baseURL(addr, at); got != want {
			t.Errorf("-addr %s is opened at %s, want %s", addr, got, want)
		}
	}
}

// link returns where the link of this id leads.
func link(t *testing.T, page *providertest.Page, id string) string {
	t.Helper()
	found := regexp.MustCompile(`id="` + id + `" href="([^"]+)"`).FindSubmatch(page.Body)
	if found == nil {
		t.Fatalf("%s has no link #%s", page.URL, id)
	}
	return html.UnescapeString(string(found[1]))
}

// tokenFor reads /api/token as a page does.
func tokenFor(t *testing.T, b *apptest.Browser) tokenAnswer {
	t.Helper()
	var answer tokenAnswer
	page := b.Ask(http.MethodGet, "/api/token", &answer)
	answer.status = page.Status
	if _, err := hex.DecodeString(answer.SHA256); err != nil {
		t.Fatalf("sha256 is %q", answer.SHA256)
	}
	return answer
}
