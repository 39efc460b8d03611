package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// An application that signs people in, its provider, and a person with a
// browser, without a socket.
func Example() {
	op := providertest.New(providertest.Config{})
	ctx := oidc.ClientContext(context.Background(), op.Client())
	provider, err := oidc.NewProvider(ctx, op.Issuer())
	if err != nil {
		fmt.Println(err)
		return
	}
	login := oauth2.Config{
		ClientID: providertest.ClientID, ClientSecret: providertest.ClientSecret,
		RedirectURL: "https://app.example/callback", Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"},
	}
	verifier := oauth2.GenerateVerifier()
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, login.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		token, err := login.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		fmt.Fprint(w, "Hello ", info.Email, ", ", err)
	})

	browser := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{
		op.Host():     op,
		"app.example": mux,
	}))
	page, err := browser.SignIn("https://app.example/login", "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Status, string(page.Body))
	// Output: 200 Hello alice@example.com, <nil>
}

// The refresh token is rotated, and the answer never arrives.
func ExampleServer_Fail() {
	op := providertest.New(providertest.Config{})
	op.Fail(providertest.Token, providertest.Fault{Times: 1, Process: true, Cut: true})

	resp, err := op.Client().PostForm(op.Issuer()+"/token", nil)
	fmt.Println(resp == nil, err)
	resp, err = op.Client().PostForm(op.Issuer()+"/token", nil)
	if err == nil {
		resp.Body.Close()
	}
	fmt.Println(resp.StatusCode, err)
	// Output:
	// true Post "https://op.example/token": EOF
	// 401 <nil>
}

// A token that was issued to another client, and what go-oidc says about it.
func ExampleServer_Mutate() {
	op := providertest.New(providertest.Config{})
	op.Mutate(providertest.Mutations{
		IDToken: func(d *providertest.Draft) { d.Claims["aud"] = "another-client" },
	})

	ctx := oidc.ClientContext(context.Background(), op.Client())
	provider, err := oidc.NewProvider(ctx, op.Issuer())
	if err != nil {
		fmt.Println(err)
		return
	}
	login := oauth2.Config{
		ClientID: providertest.ClientID, ClientSecret: providertest.ClientSecret,
		RedirectURL: "https://app.example/callback", Endpoint: provider.Endpoint(), Scopes: []string{"openid"},
	}
	verifier := oauth2.GenerateVerifier()
	response, err := op.Authorize(login.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := login.Exchange(ctx, response.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = provider.Verifier(&oidc.Config{ClientID: login.ClientID}).Verify(ctx, token.Extra("id_token").(string))
	fmt.Println(err)
	// Output: oidc: expected audience "app" got ["another-client"]
}

// A provider for development, that a person signs in at with a real browser.
func ExampleNew() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	op := providertest.New(providertest.Config{
		Issuer:              "http://" + ln.Addr().String(),
		Users:               []providertest.User{{Name: "alice", Claims: map[string]any{"groups": []string{"staff"}}}},
		AccessTokenLifetime: time.Minute,
	})
	srv := &http.Server{Handler: op}
	go srv.Serve(ln)

	_, err = oidc.NewProvider(context.Background(), op.Issuer())
	fmt.Println("discovered:", err)
	srv.Close()
	// Output: discovered: <nil>
}

func ExampleNetwork() {
	network := providertest.NewNetwork(map[string]http.Handler{
		"api.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }),
	})
	client := &http.Client{Transport: network}
	resp, err := client.Get("https://api.example/")
	if err == nil {
		resp.Body.Close()
	}
	fmt.Println(resp.Status, err)

	network.Down("api.example")
	_, err = client.Get("https://api.example/")
	var dial *net.OpError
	fmt.Println(errors.As(err, &dial) && dial.Op == "dial")
	// Output:
	// 200 OK <nil>
	// true
}

// A mobile application has signed its user in with the provider's own SDK, and
// holds tokens that this application is to judge.
func ExampleServer_IssueAccessToken() {
	op := providertest.New(providertest.Config{AccessTokens: providertest.EntraV2, Algorithm: "ES256"})
	token := op.IssueAccessToken("alice", "mobile-app", "https://api.example", func(d *providertest.Draft) {
		d.Claims["groups"] = []string{"admins"}
		fmt.Println(d.Claims["sub"], d.Claims["azp"], d.Claims["aud"])
	})
	fmt.Println(strings.Count(token, "."), "dots")
	// Output:
	// sub-alice mobile-app https://api.example
	// 2 dots
}
