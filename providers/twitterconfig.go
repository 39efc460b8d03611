package providers

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// TwitterConfig describes an application registered with X, formerly Twitter.
// The zero value of a field is its documented default.
type TwitterConfig struct {
	// Name is the provider's alias, see [Provider]. Default: twitter.
	Name string

	// ConsumerKey and ConsumerSecret are the application's registration, which
	// the developer portal calls API key and secret. Both are required.
	ConsumerKey    string
	ConsumerSecret Secret

	// AuthParams are further parameters of every authorization request:
	// force_login, screen_name and lang, for X knows no others. A caller's
	// parameter of the same name replaces one.
	AuthParams url.Values

	// API is the root of the API, below which people sign in, too.
	// Default: https://api.x.com.
	API string

	// HTTPClient, where set, lends its Transport and its Timeout. Redirects are
	// not followed and cookies not kept, whatever it says. Default: a transport
	// of the provider's own, with proxies from the environment.
	HTTPClient *http.Client
}

// twitterParams are the parameters of oauth/authenticate beside the token.
var twitterParams = []string{"force_login", "screen_name", "lang"}

func (c TwitterConfig) withDefaults() TwitterConfig {
	c.Name = cmp.Or(c.Name, "twitter")
	c.API = strings.TrimSuffix(cmp.Or(c.API, "https://api.x.com"), "/")
	c.AuthParams = copyValues(c.AuthParams)
	return c
}

// validate reports every mistake of a configuration with defaults at once.
func (c TwitterConfig) validate() error {
	m := mistakesOf(c.Name)
	if c.ConsumerKey == "" {
		m.add("ConsumerKey", "is empty: create an app in the developer portal of X and copy its API key")
	}
	if c.ConsumerSecret.IsZero() {
		m.add("ConsumerSecret", "is empty: copy the API key's secret from the developer portal of X")
	}
	for name := range c.AuthParams {
		if !slices.Contains(twitterParams, name) {
			m.add("AuthParams", "%q is not known to X: use force_login, screen_name or lang", name)
		}
	}
	m.base("API", c.API)
	m.params(c.AuthParams)
	return m.err()
}
