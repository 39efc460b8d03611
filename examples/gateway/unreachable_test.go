package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

func TestAnApplicationThatIsDownIsA502ThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "http://" + down.Addr().String()
	down.Close()
	g := startAt(t, at)

	page := apptest.NewBrowser(t).Visit(g.Base + "/")
	if page.Status != http.StatusBadGateway || !strings.Contains(string(page.Body), at) || page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("a person is answered %d: %s", page.Status, page.Body)
	}
	resp := do(t, get(t, g.Base+"/"))
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadGateway || resp.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(string(body), at) {
		t.Errorf("a program is answered %d: %s", resp.StatusCode, body)
	}
	if log := g.Stderr.String(); !strings.Contains(log, "the application does not answer") || !strings.Contains(log, at) {
		t.Errorf("the log says %s", log)
	}
	// Signing in does not need the application.
	ada := apptest.NewBrowser(t)
	ada.SignedIn(g.Base+"/.auth/login/google", "ada")
	if page := ada.Visit(g.Base + "/.auth/me"); page.Status != http.StatusOK {
		t.Errorf("signed in, /.auth/me answers %d", page.Status)
	}
}
