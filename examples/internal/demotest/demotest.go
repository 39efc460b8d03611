// Package demotest holds the story that every small example must tell.
package demotest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
	"github.com/goeasyauth/easyauth/examples/internal/demo"
	"github.com/goeasyauth/easyauth/examples/internal/openstore"
)

// Start runs the example on a free port.
func Start(t *testing.T, mount demo.Mount) *apptest.Program {
	return apptest.Start(t, func(ctx context.Context, stdout, stderr io.Writer) int {
		if err := demo.Run(ctx, "127.0.0.1:0", openstore.Spec{Store: "memory"}, stdout, mount); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	})
}

// SignsInAndOut visits the example as a stranger, signs in by way of its
// guarded page, reads it, and signs out.
func SignsInAndOut(t *testing.T, mount demo.Mount) {
	program := Start(t, mount)
	ada := apptest.NewBrowser(t)

	if page := ada.Visit(program.Base + "/"); page.Status != http.StatusOK || !strings.Contains(string(page.Body), "stranger") {
		t.Fatalf("a stranger is answered %d: %s", page.Status, page.Body)
	}
	if page := ada.Ask(http.MethodGet, "/account", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("a stranger's script is answered %d, want 401", page.Status)
	}
	page := ada.SignedIn(program.Base+"/account", "ada")
	if page.Status != http.StatusOK || page.URL.Path != "/account" || !strings.Contains(string(page.Body), "sub-ada") {
		t.Fatalf("signing in ends at %s with %d: %s", page.URL, page.Status, page.Body)
	}
	if page := ada.Visit(program.Base + "/"); !strings.Contains(string(page.Body), "Hello Ada") {
		t.Errorf("signed in, the front page says: %s", page.Body)
	}
	if page := ada.Click("/.auth/logout"); page.URL.Path != "/.auth/logout/complete" || page.Status != http.StatusOK {
		t.Errorf("signing out ends at %s with %d", page.URL, page.Status)
	}
	if page := ada.Ask(http.MethodGet, "/account", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("signed out, a script is answered %d, want 401", page.Status)
	}
	if code := program.Stop(); code != 0 {
		t.Errorf("the program ends with status %d: %s", code, program.Stderr)
	}
}
