package easyauth_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/goeasyauth/easyauth"
)

// An auth.json as App Service has it, here with everything that one usually says.
const authJSON = `{
  "platform": {"enabled": true},
  "globalValidation": {
    "requireAuthentication": true,
    "unauthenticatedClientAction": "RedirectToLoginPage",
    "redirectToProvider": "azureActiveDirectory",
    "excludedPaths": ["/health"]
  },
  "httpSettings": {
    "requireHttps": true,
    "forwardProxy": {"convention": "Standard"}
  },
  "login": {
    "tokenStore": {"enabled": true, "tokenRefreshExtensionHours": 72},
    "allowedExternalRedirectUrls": ["https://shop.example/", "orders://easyauth.callback"],
    "cookieExpiration": {"convention": "FixedTime", "timeToExpiration": "08:00:00"}
  },
  "identityProviders": {
    "azureActiveDirectory": {
      "registration": {
        "openIdIssuer": "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        "clientId": "3b1a5f6e-6f0c-4f0e-9c55-0d8f2a4f1b77",
        "clientSecretSettingName": "MICROSOFT_PROVIDER_AUTHENTICATION_SECRET"
      },
      "login": {"loginParameters": ["scope=openid profile email offline_access"]}
    },
    "google": {
      "registration": {
        "clientId": "407408718192.apps.googleusercontent.com",
        "clientSecretSettingName": "GOOGLE_PROVIDER_AUTHENTICATION_SECRET"
      }
    }
  }
}`

// The configuration of an application that was made for App Service. What the
// file cannot say, the program adds.
func ExampleLoadAppService() {
	path, remove := temporary("auth.json")
	defer remove()
	if err := os.WriteFile(path, []byte(authJSON), 0o600); err != nil {
		panic(err)
	}

	settings := map[string]string{ // os.LookupEnv, elsewhere
		"WEBSITE_HOSTNAME":                         "orders.example",
		"WEBSITE_AUTH_ENCRYPTION_KEY":              "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
		"WEBSITE_AUTH_SIGNING_KEY":                 "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5",
		"MICROSOFT_PROVIDER_AUTHENTICATION_SECRET": "the secret of the registration at Microsoft",
		"GOOGLE_PROVIDER_AUTHENTICATION_SECRET":    "the secret of the registration at Google",
	}
	cfg, err := easyauth.LoadAppService(path, func(name string) (string, bool) {
		value, ok := settings[name]
		return value, ok
	})
	if err != nil {
		panic(err)
	}
	cfg.ForwardProxy.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	// cfg.Store = redisstore.New(rdb), for more than one process

	auth, err := easyauth.New(cfg)
	if err != nil {
		panic(err)
	}
	defer auth.Close()

	fmt.Println(cfg.BaseURL, cfg.SessionLifetime, cfg.GracePeriod)
	for _, p := range cfg.Providers {
		fmt.Println(p.Name())
	}
	fmt.Println(cfg.Gate.Unauthenticated, cfg.Gate.Provider, cfg.Gate.ExcludedPaths)
	// Output:
	// https://orders.example 8h0m0s 72h0m0s
	// aad
	// google
	// RedirectToLoginPage aad [/health]
}

// Every mistake of a file is told at once, with its path and its remedy.
func ExampleLoadAppService_mistakes() {
	path, remove := temporary("auth.json")
	defer remove()
	err := os.WriteFile(path, []byte(`{
		"allowedExternalRedirectUrls": ["https://shop.example/"],
		"login": {"cookieExpiration": {"timeToExpiration": "8h"}},
		"identityProviders": {"google": {"registration": {"clientId": "orders", "clientSecret": "GOCSPX-1mUrInd4eF5"}}}
	}`), 0o600)
	if err != nil {
		panic(err)
	}
	_, err = easyauth.LoadAppService(path, os.LookupEnv)
	fmt.Println(strings.ReplaceAll(err.Error(), path, "auth.json"))
	// Output:
	// easyauth: auth.json: allowedExternalRedirectUrls: unknown member: it belongs under login
	// easyauth: auth.json: login.cookieExpiration.timeToExpiration: is not a time span: write hh:mm:ss or d.hh:mm:ss and more than nothing, such as "08:00:00" or "1.00:00:00"
	// easyauth: auth.json: identityProviders.google.registration.clientSecret: unknown member: a secret is never in this file: put it into an app setting, and the setting's name into clientSecretSettingName
}

// temporary returns the path of a file that does not exist yet.
func temporary(name string) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "easyauth")
	if err != nil {
		panic(err)
	}
	return filepath.Join(dir, name), func() { os.RemoveAll(dir) }
}
