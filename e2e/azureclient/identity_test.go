package azureclient_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// identity is where people have accounts. It stands for every provider: each has
// its own alias at the service, and its own rules there.
type identity struct {
	*providertest.Server
	t testing.TB
}

func startIdentity(t testing.TB) *identity {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	op := providertest.New(providertest.Config{
		Issuer:        "http://localhost:" + port, // another host than the service's: cookies ignore ports
		AccessTokens:  providertest.EntraV2,       // for the client itself where no other API is asked for
		AlwaysRefresh: true,
	})
	server := &http.Server{Handler: op, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return &identity{op, t}
}

// SignIn is what the SDK of a provider does on a device: afterwards the program
// there has the user's tokens, and the service has heard of nothing.
func (i *identity) SignIn(user string) (tokens struct{ ID, Access, Refresh string }) {
	i.t.Helper()
	verifier := oauth2.GenerateVerifier()
	sdk := oauth2.Config{
		ClientID:     providertest.ClientID,
		ClientSecret: providertest.ClientSecret,
		RedirectURL:  "https://sdk.example/signed-in",
		Scopes:       []string{"openid", "profile", "email"},
		Endpoint:     oauth2.Endpoint{AuthURL: i.Issuer() + "/authorize", TokenURL: i.Issuer() + "/token"},
	}
	answer, err := i.Authorize(sdk.AuthCodeURL("of the SDK", oauth2.S256ChallengeOption(verifier)), user)
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := sdk.Exchange(context.Background(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		i.t.Fatal(err)
	}
	tokens.ID, _ = token.Extra("id_token").(string)
	tokens.Access, tokens.Refresh = token.AccessToken, token.RefreshToken
	return tokens
}
