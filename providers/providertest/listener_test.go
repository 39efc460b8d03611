package providertest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestProviderOnARealListener is the provider as the examples use it: a port of
// its own, and clients with sockets.
func TestProviderOnARealListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	op := providertest.New(providertest.Config{Issuer: "http://" + ln.Addr().String()})
	srv := &http.Server{Handler: op}
	go srv.Serve(ln)
	defer srv.Close()
	a := &app{}
	appServer := httptest.NewServer(a)
	defer appServer.Close()

	provider, err := oidc.NewProvider(t.Context(), op.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{
		ClientID: providertest.ClientID, ClientSecret: providertest.ClientSecret, RedirectURL: appServer.URL,
		Endpoint: provider.Endpoint(), Scopes: []string{"openid"},
	}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // otherwise the client tries twice
	browser := providertest.NewBrowser(&http.Transport{DisableKeepAlives: true})
	if _, err := browser.SignIn(config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), "alice"); err != nil {
		t.Fatal(err)
	}
	if len(a.got) != 1 {
		t.Fatalf("callback got %v", a.got)
	}
	op.Fail(providertest.Token, providertest.Fault{Times: 1, Down: true})
	if _, err := config.Exchange(t.Context(), a.got[0].Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a provider that is down answered")
	}
	token, err := config.Exchange(t.Context(), a.got[0].Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if id, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(t.Context(), raw); err != nil || id.Subject != "sub-alice" {
		t.Errorf("%v, %v", id, err)
	}
}
