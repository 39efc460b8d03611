package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// An application that only has the routes: somebody signs in, and asks who is
// signed in.
func Example() {
	op := providertest.New(providertest.Config{})
	corp, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         "corp",
		Issuer:       op.Issuer(),
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		HTTPClient:   op.Client(),
	})
	if err != nil {
		panic(err)
	}
	list := []providers.Provider{corp}
	sessions, err := session.NewManager(session.Config{Store: memstore.New(), Providers: list})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	auth, err := handlers.New(handlers.Config{
		Sessions:  sessions,
		Providers: list,
		BaseURL:   &url.URL{Scheme: "https", Host: "app.example"},
		Keys:      [][]byte{bytes.Repeat([]byte("k"), 32)}, // 32 random bytes, in earnest
	})
	if err != nil {
		panic(err)
	}

	network := providertest.NewNetwork(map[string]http.Handler{op.Host(): op, "app.example": auth})
	alice := providertest.NewBrowser(network)
	if _, err := alice.SignIn("https://app.example/.auth/login?post_login_redirect_uri=/welcome", "alice"); err != nil {
		panic(err)
	}
	fmt.Println(alice.Page().URL)

	me, err := alice.Open("https://app.example/.auth/me")
	if err != nil {
		panic(err)
	}
	var accounts []struct {
		Provider string `json:"provider_name"`
		User     string `json:"user_id"`
	}
	if err := json.Unmarshal(me.Body, &accounts); err != nil {
		panic(err)
	}
	fmt.Println(accounts)
	// Output:
	// https://app.example/welcome
	// [{corp Alice}]
}
