package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io"
	"net/http"
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
