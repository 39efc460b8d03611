package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

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
