package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

func TestInDevelopmentEveryNameSignsPeopleInWithoutARegistration(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	for _, name := range everyName {
		b := apptest.NewBrowser(t)
		b.SignedIn(g.Base+"/.auth/login/"+name+"?post_login_redirect_uri=/", "ada")
		if got := look(t, b, g.Base+"/").Header.Get("X-MS-CLIENT-PRINCIPAL-IDP"); got != name {
			t.Errorf("signed in with %s, the application is told %q", name, got)
		}
		refreshed := http.StatusOK
		switch name {
		case "facebook", "github", "twitter", "apple": // contract section 5
			refreshed = http.StatusBadRequest
		}
		if page := b.Ask(http.MethodGet, g.Base+"/.auth/refresh", nil); page.Status != refreshed {
			t.Errorf("signed in with %s, a refresh answers %d, want %d", name, page.Status, refreshed)
		}
		if page := b.Visit(g.Base + "/.auth/logout"); page.URL.Path != "/.auth/logout/complete" || page.Status != http.StatusOK {
			t.Errorf("signed in with %s, signing out ends with %d at %s", name, page.Status, page.URL)
		}
	}
	if log := g.Stderr.String(); !strings.Contains(log, "DEVELOPMENT ONLY") {
		t.Errorf("the log does not warn: %s", log)
	}
	if out := g.Stdout.String(); !strings.Contains(out, "the development provider at http://localhost:") {
		t.Errorf("it greets with %s", out)
	}
}

// TestInDevelopmentAUserLooksAsAtTheRealProvider: an application that was
// developed against one name finds there what it will find in the cloud.
func TestInDevelopmentAUserLooksAsAtTheRealProvider(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	for name, claim := range map[string]string{
		"aad":      "http://schemas.microsoft.com/identity/claims/objectidentifier",
		"google":   "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"github":   "urn:github:login",
		"facebook": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
		"twitter":  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
	} {
		b := apptest.NewBrowser(t)
		b.SignedIn(g.Base+"/.auth/login/"+name+"?post_login_redirect_uri=/", "ada")
		page := b.Ask(http.MethodGet, g.Base+"/.auth/me", nil)
		if body := strings.ReplaceAll(string(page.Body), `\/`, "/"); !strings.Contains(body, `"typ":"`+claim+`"`) {
			t.Errorf("a user of %s has no %s: %s", name, claim, body)
		}
	}
}

// TestInDevelopmentAClientSignsInWithItsOwnTokens posts what a mobile
// application has of the provider's SDK (contract 1.4).
func TestInDevelopmentAClientSignsInWithItsOwnTokens(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	for name, body := range map[string]string{
		"aad":      `{"access_token":"ID"}`, // which is an ID token in practice
		"google":   `{"id_token":"ID"}`,
		"apple":    `{"id_token":"ID"}`,
		"facebook": `{"access_token":"ACCESS"}`,
		"twitter":  `{"access_token":"ACCESS","access_token_secret":"SECRET"}`,
	} {
		b := apptest.NewBrowser(t)
		b.SignedIn(g.Base+"/.auth/login/"+name+"?post_login_redirect_uri=/", "ada")
		var me []struct {
			IDToken string `json:"id_token"`
			Access  string `json:"access_token"`
			Secret  string `json:"access_token_secret"`
		}
		b.Ask(http.MethodGet, g.Base+"/.auth/me", &me)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Base+"/.auth/login/"+name,
			strings.NewReader(strings.NewReplacer("ID", me[0].IDToken, "ACCESS", me[0].Access, "SECRET", me[0].Secret).Replace(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		var login struct{ AuthenticationToken string }
		read(t, do(t, r), &login)
		call := get(t, g.Base+"/")
		call.Header.Set("X-Zumo-Auth", login.AuthenticationToken)
		var s seen
		if read(t, do(t, call), &s); s.Header.Get("X-MS-CLIENT-PRINCIPAL-IDP") != name {
			t.Errorf("with the token of %s the application is told %v", name, s.own())
		}
	}
}

// Whoever types a name is let in, so nobody else may get there.
func TestInDevelopmentOnlyThisComputerIsServed(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://app.example", "http://10.0.0.1:8080", "https://localhost.example"} {
		mustComplain(t, []string{"-dev", "-addr", "127.0.0.1:0", "-upstream", "http://127.0.0.1:9000", "-base-url", base},
			"-dev lets anybody in under any name, so it is for this computer only: "+base)
	}
}

// TestInDevelopmentNoNameOfTheWebLeadsHere is DNS rebinding: the page of a name
// that was made to point to this computer would sign in as anybody.
func TestInDevelopmentNoNameOfTheWebLeadsHere(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	port := g.Base[strings.LastIndexByte(g.Base, ':'):]
	for host, status := range map[string]int{
		"127.0.0.1" + port: http.StatusOK, "[::1]": http.StatusOK, "localhost": http.StatusOK,
		"rebound.example" + port: http.StatusMisdirectedRequest, "localhost.example": http.StatusMisdirectedRequest,
		"192.168.1.7" + port: http.StatusMisdirectedRequest, "127.0.0.1.nip.example": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/.auth/logout/complete"} {
			r := get(t, g.Base+path)
			r.Host = host
			if resp := do(t, r); resp.StatusCode != status {
				t.Errorf("%s of %s answers %d, want %d", path, host, resp.StatusCode, status)
			}
		}
	}
}
