package easyauth_test

import (
	"fmt"
	"net/http"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

// An application that signs people in. The provider and the browser are those
// of package providertest, so that the example runs without a network.
func Example() {
	op := providertest.New(providertest.Config{Algorithm: "ES256"})
	network := providertest.NewNetwork(map[string]http.Handler{op.Host(): op})

	idp, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         "op",
		Issuer:       op.Issuer(),
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		HTTPClient:   &http.Client{Transport: network},
	})
	if err != nil {
		panic(err)
	}
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   "https://app.example",
		Providers: []providers.Provider{idp},
		Keys:      []providers.Secret{easyauth.NewKey()},
	})
	if err != nil {
		panic(err)
	}
	defer auth.Close()

	mux := http.NewServeMux()
	mux.Handle("/account", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		fmt.Fprintf(w, "hello %s, signed in by %s", s.User.Name, s.User.Provider)
	})))
	network.Handle("app.example", auth.Wrap(mux)) // http.ListenAndServe, elsewhere

	browser := providertest.NewBrowser(network)
	page, err := browser.SignIn("https://app.example/account", "Ada")
	if err != nil {
		panic(err)
	}
	fmt.Println(page.URL, page.Status)
	fmt.Printf("%s\n", page.Body)
	// Output:
	// https://app.example/account 200
	// hello Ada, signed in by op
}

// A mistake in the configuration is told at the start, all mistakes at once,
// each with its remedy.
func ExampleConfig_Validate() {
	err := easyauth.Config{BaseURL: "http://app.example"}.Validate()
	fmt.Println(err)
	// Output:
	// easyauth: Config.BaseURL: "http://app.example" is http on a host that is not loopback: session cookies would travel in the clear, use https
	// easyauth: Config.Providers: none: add at least one, providers.NewOIDC makes one for any OpenID Connect issuer
	// easyauth: Config.Keys: none: make one with easyauth.NewKey and keep it outside the code
}
