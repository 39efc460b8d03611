package providers_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// An application with a registration at GitHub. Whether its tokens expire is
// decided there, and found out here from what GitHub answers.
func ExampleNewGitHub() {
	op := providertest.NewGitHub(providertest.GitHubConfig{Expiring: true})
	github, err := providers.NewGitHub(providers.GitHubConfig{
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Scopes:       []string{"user:email"},
		Server:       op.URL(), // leave it out for github.com
		HTTPClient:   op.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	flow := providers.NewFlow(github.Name(), "https://app.example/.auth/login/github/callback", "/")
	address, err := github.Begin(ctx, &flow, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := op.Authorize(address, "alice") // a person's part
	if err != nil {
		log.Fatal(err)
	}
	login, err := github.Complete(ctx, flow, response)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(login.Identity.Issuer, login.Identity.Claims.String("urn:github:login"))
	fmt.Println(login.Tokens.ExpiresIn, login.Tokens.RefreshToken)
	// Output:
	// https://github.example alice
	// 8h0m0s [redacted]
}

// A mobile application signs its user in with the token that Facebook's SDK gave
// it. The token of another application is as genuine, and refused.
func ExampleFacebook_LoginWithTokens() {
	op := providertest.NewFacebook(providertest.FacebookConfig{})
	facebook, err := providers.NewFacebook(providers.FacebookConfig{
		AppID:      providertest.ClientID,
		AppSecret:  providers.NewSecret(providertest.ClientSecret),
		Graph:      op.URL(), // leave it out for facebook.com
		HTTPClient: op.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	login, err := facebook.LoginWithTokens(ctx, providers.ClientTokens{AccessToken: providers.NewSecret(op.Token("alice"))})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(login.Identity.Subject == op.UserID("alice"), login.Tokens.ExpiresIn.Round(time.Hour))

	_, err = facebook.LoginWithTokens(ctx, providers.ClientTokens{AccessToken: providers.NewSecret(op.ForeignToken("alice"))})
	failure, _ := errors.AsType[*providers.Error](err)
	fmt.Println(failure.Kind)
	// Output:
	// true 2h0m0s
	// invalid_answer
}

// X has a token and a secret for each user, and no expiry.
func ExampleNewTwitter() {
	op := providertest.NewTwitter(providertest.TwitterConfig{})
	twitter, err := providers.NewTwitter(providers.TwitterConfig{
		ConsumerKey:    providertest.ClientID,
		ConsumerSecret: providers.NewSecret(providertest.ClientSecret),
		API:            op.URL(), // leave it out for x.com
		HTTPClient:     op.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	flow := providers.NewFlow(twitter.Name(), "https://app.example/.auth/login/twitter/callback", "/")
	address, err := twitter.Begin(ctx, &flow, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := op.Authorize(address, "alice") // a person's part
	if err != nil {
		log.Fatal(err)
	}
	login, err := twitter.Complete(ctx, flow, response)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(login.Identity.Issuer, login.Tokens.AccessTokenSecret, login.Tokens.ExpiresIn)
	// Output:
	// https://twitter.com [redacted] 0s
}
