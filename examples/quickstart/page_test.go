package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func TestThePageOfASignedInUser(t *testing.T) {
	body := render(t, &app{}, "<b>Ada</b>")
	for _, id := range []string{"user-name", "claims", "session-countdown", "token-countdown", "token-hash", "refresh-log", "refresh-now", "sign-out"} {
		if !strings.Contains(body, `id="`+id+`"`) {
			t.Errorf("the page has no #%s", id)
		}
	}
	for _, id := range []string{"revoke", "fail-provider", "sign-in"} {
		if strings.Contains(body, `id="`+id+`"`) {
			t.Errorf("the page has #%s, which is not for a real provider's user", id)
		}
	}
	if strings.Contains(body, "<b>Ada") {
		t.Error("the name that the provider gave is taken for markup")
	}
	if !strings.Contains(body, "<td>[&#34;staff&#34;,7]</td>") || !strings.Contains(body, "<td>ada@example.com</td>") {
		t.Error("the claims are not shown as they are")
	}
}

// TestThePageNeedsNothingThatItsPolicyForbids looks for inline scripts, inline
// styles, event attributes and foreign origins.
func TestThePageNeedsNothingThatItsPolicyForbids(t *testing.T) {
	inline := regexp.MustCompile(`<script(?:\s[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|(?:src|href)="(?:https?:)?//`)
	err := fs.WalkDir(web, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".html") {
			return err
		}
		text, err := web.ReadFile(name)
		if found := inline.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	script, err := web.ReadFile("web/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("} {
		if strings.Contains(string(script), forbidden) {
			t.Errorf("app.js uses %s", forbidden)
		}
	}
	w := httptest.NewRecorder()
	hardened(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	policy := w.Header().Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, directive) {
			t.Errorf("the policy has no %s: %s", directive, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is not strict: %s", policy)
	}
}

// TestEveryControlHasAName is the part of accessibility that can be read off
// the markup: landmarks, headings in order, labels, and no positive tabindex.
func TestEveryControlHasAName(t *testing.T) {
	body := render(t, &app{}, "Ada")
	for _, landmark := range []string{"<header>", "<main ", "<nav aria-label=", "<footer>", `<html lang="en">`, `aria-live="polite"`, `role="status"`} {
		if !strings.Contains(body, landmark) {
			t.Errorf("the page has no %s", landmark)
		}
	}
	if n := strings.Count(body, "<h1"); n != 1 {
		t.Errorf("the page has %d first headings", n)
	}
	for _, tag := range regexp.MustCompile(`<(?:progress|section|img)[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(tag, "aria-label") && !strings.Contains(tag, `alt="`) {
			t.Errorf("%s has no name", tag)
		}
	}
	for _, reference := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if !strings.Contains(body, `id="`+reference[1]+`"`) {
			t.Errorf("nothing has the id %s", reference[1])
		}
	}
	if regexp.MustCompile(`tabindex="[1-9]`).MatchString(body) {
		t.Error("the order of the tab key is not that of the page")
	}
	for _, id := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if strings.Count(body, ` id="`+id[1]+`"`) != 1 {
			t.Errorf("the id %s is there twice", id[1])
		}
	}
}

// TestAScriptFindsWhatItLooksFor compares the ids that app.js asks for with
// those of the page.
func TestAScriptFindsWhatItLooksFor(t *testing.T) {
	script, err := web.ReadFile("web/app.js")
	if err != nil {
		t.Fatal(err)
	}
	body := render(t, &app{}, "Ada")
	for _, id := range regexp.MustCompile(`(?:byID|text)\("([a-z-]+)"`).FindAllStringSubmatch(string(script), -1) {
		if !strings.Contains(body, `id="`+id[1]+`"`) {
			t.Errorf("app.js looks for #%s, which is not on the page", id[1])
		}
	}
}

func render(t *testing.T, a *app, name string) string {
	t.Helper()
	claims, err := providers.ParseClaims([]byte(`{"email":"ada@example.com","groups":["staff",7]}`))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := &session.Session{ID: "1", User: session.User{Provider: "oidc", ID: "u1", Name: name, Claims: claims},
		CreatedAt: now, ExpiresAt: now.Add(time.Hour), GraceUntil: now.Add(2 * time.Hour)}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	a.page(w, r.WithContext(session.NewContext(r.Context(), s)))
	if w.Code != http.StatusOK {
		t.Fatalf("the page answers %d", w.Code)
	}
	return w.Body.String()
}
