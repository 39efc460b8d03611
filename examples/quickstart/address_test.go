package main

import (
	"net"
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
