package providers_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// One sign-in from beginning to end, with a provider and a browser in memory.
// Package handlers does this for real browsers.
func Example() {
	op := providertest.New(providertest.Config{})
	provider, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         "op",
		Issuer:       op.Issuer(),
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		HTTPClient:   op.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	// The browser leaves ...
	flow := providers.NewFlow("op", "https://app.example/.auth/login/op/callback", "/account")
	address, err := provider.Begin(ctx, &flow, url.Values{"login_hint": {"alice"}})
	if err != nil {
		log.Fatal(err)
	}

	// ... Alice signs in at the provider, which sends her back ...
	var response url.Values
	browser := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{
		op.Host():     op,
		"app.example": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { response = r.URL.Query() }),
	}))
	if _, err := browser.SignIn(address, "alice"); err != nil {
		log.Fatal(err)
	}

	// ... and what she brings is turned into who she is.
	login, err := provider.Complete(ctx, flow, response)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(login.Identity.Issuer, login.Identity.Subject)
	fmt.Println(login.Identity.Claims.String("email"), login.Tokens.ExpiresIn, login.Tokens.AccessToken)
	// Output:
	// https://op.example sub-alice
	// alice@example.com 5m0s [redacted]
}

// What a failed refresh means is its Kind.
func ExampleOIDC_Refresh() {
	op := providertest.New(providertest.Config{})
	provider, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         "op",
		Issuer:       op.Issuer(),
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		HTTPClient:   op.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = provider.Refresh(context.Background(), providers.RefreshRequest{
		RefreshToken: providers.NewSecret("a token from long ago"),
	})
	var failure *providers.Error
	if errors.As(err, &failure) && failure.Kind == providers.Revoked {
		fmt.Println("sign in again:", err)
	}
	// Output:
	// sign in again: providers: op: refresh refused: revoked, status 400, code "invalid_grant"
}

// Every mistake in a configuration is reported at once.
func ExampleNewOIDC() {
	_, err := providers.NewOIDC(providers.OIDCConfig{
		Name:     "Example Corp",
		Issuer:   "http://login.example.com",
		ClientID: "my-app",
	})
	fmt.Println(err)
	// Output:
	// providers: "Example Corp": Name: must match ^[a-z0-9][a-z0-9_]{0,31}$: it becomes the path segment of the login URL
	// providers: "Example Corp": Issuer: is http on a host that is not loopback: copy it from the provider's discovery document
	// providers: "Example Corp": ClientSecret: is empty: register the application as a confidential (web) client and copy its secret
}

// A preset is a configuration to start from.
func ExampleGoogle() {
	cfg := providers.Google("my-app.apps.googleusercontent.com", providers.NewSecret("from the console"))
	cfg.Scopes = []string{"openid", "email", "https://www.googleapis.com/auth/calendar.readonly"}
	cfg.AuthParams.Set("include_granted_scopes", "true")

	google, err := providers.NewOIDC(cfg)
	if err != nil {
		log.Fatal(err)
	}
	policy := google.RefreshPolicy()
	fmt.Println(google.Name(), policy.Class, policy.Lifetime)
	// Output:
	// google reusable 4320h0m0s
}

// An application for users of several organizations names them.
func ExampleEntraID() {
	cfg := providers.EntraID("11111111-aaaa-bbbb-cccc-222222222222", providers.NewSecret("from the portal"),
		"33333333-aaaa-bbbb-cccc-444444444444",
		"55555555-aaaa-bbbb-cccc-666666666666")
	fmt.Println(cfg.Issuer)
	_, err := providers.NewOIDC(cfg)
	fmt.Println(err)
	// Output:
	// https://login.microsoftonline.com/{tenantid}/v2.0
	// <nil>
}

// Two members that a reader might take for one are refused.
func ExampleParseClaims() {
	claims, err := providers.ParseClaims([]byte(`{"sub":"alice","groups":["admins"]}`))
	fmt.Println(claims.String("sub"), claims.Strings("groups"), err)

	_, err = providers.ParseClaims([]byte(`{"sub":"alice","Sub":"mallory"}`))
	fmt.Println(err)
	// Output:
	// alice [admins] <nil>
	// providers: a claim repeats
}

func ExampleSecret() {
	token := providers.NewSecret("do not show")
	fmt.Printf("%v %s %q %+v\n", token, token, token, struct{ Token providers.Secret }{token})
	// Output:
	// [redacted] [redacted] [redacted] {Token:[redacted]}
}

// A mobile application has signed its user in by itself and brings what it got:
// an access token for this application.
func ExampleOIDC_LoginWithTokens() {
	op := providertest.New(providertest.Config{AccessTokens: providertest.EntraV2, Algorithm: "ES256"})
	cfg := providers.EntraID(providertest.ClientID, providers.NewSecret(providertest.ClientSecret), "11111111-2222-3333-4444-555555555555")
	cfg.Issuer, cfg.HTTPClient = op.Issuer(), op.Client() // instead of Microsoft's
	cfg.Access.AllowedApplications = []string{"mobile-app"}
	provider, err := providers.NewOIDC(cfg)
	if err != nil {
		log.Fatal(err)
	}
	for _, client := range []string{"mobile-app", "some-other-app"} {
		login, err := provider.LoginWithTokens(context.Background(), providers.ClientTokens{
			AccessToken: providers.NewSecret(op.IssueAccessToken("alice", client, providertest.ClientID, nil)),
		})
		if e, ok := errors.AsType[*providers.Error](err); ok {
			fmt.Println(e.Kind)
			continue
		}
		fmt.Println(login.Identity.Subject)
	}
	// Output:
	// sub-alice
	// not_allowed
}

// Who may come in is asked of every sign-in, of every token in Authorization:
// Bearer, and again at every refresh.
func ExampleAccessPolicy() {
	cfg := providers.EntraID("client-id", providers.NewSecret("client-secret"), "11111111-2222-3333-4444-555555555555")
	cfg.Access = providers.AccessPolicy{
		AllowedGroups:     []string{"0760b6cf-170e-4a14-91b3-4b78e0739963"},
		AllowedIdentities: []string{"0f8fad5b-d9cb-469f-a165-70867728950e"}, // or this one, who is in no group
	}
	_, err := providers.NewOIDC(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// The issuer of an App Service auth.json is enough to sign in with Entra ID, in
// either version.
func ExampleEntraIDIssuer() {
	cfg := providers.EntraIDIssuer("https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
		"client-id", providers.NewSecret("client-secret"))
	cfg.ResponseType = providers.CodeWithIDToken // loginParameters: response_type=code id_token
	fmt.Println(cfg.Issuer)
	fmt.Println(cfg.DiscoveryURL)
	// Output:
	// https://sts.windows.net/11111111-2222-3333-4444-555555555555/
	// https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/.well-known/openid-configuration
}

// A mistake in Apple's key is found before anybody signs in.
func ExampleApple() {
	_, err := providers.NewOIDC(providers.Apple(providers.AppleConfig{
		ClientID:   "com.example.app",
		TeamID:     "AB12CD34EF",
		KeyID:      "ZZ11YY22XX",
		PrivateKey: providers.NewSecret("AuthKey_ZZ11YY22XX.p8"), // the name of the file in place of its text
	}))
	fmt.Println(err)
	// Output:
	// providers: "apple": ClientSecretSource: AppleConfig.PrivateKey is not PEM: give the whole text of the .p8 file, its first and last line included
}
