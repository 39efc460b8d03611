package providers

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// GitHubConfig describes an OAuth app or a GitHub App and where it is
// registered. The zero value of a field is its documented default.
type GitHubConfig struct {
	// Name is the provider's alias, see [Provider]. Default: github.
	Name string

	// ClientID and ClientSecret are the application's registration. Both are
	// required.
	ClientID     string
	ClientSecret Secret

	// Scopes are asked for at every sign-in. A GitHub App has permissions
	// instead and ignores them, except that user:email makes the provider look
	// for the user's e-mail address. Default: none, which lets the application
	// read what is public.
	Scopes []string

	// AuthParams are further parameters of every authorization request, such as
	// allow_signup, login or prompt. A caller's parameter of the same name
	// replaces one.
	AuthParams url.Values

	// Server is where people sign in: a GitHub Enterprise Server or a
	// subdomain of ghe.com. It is the issuer of the identities.
	// Default: https://github.com.
	Server string

	// API is the root of the REST API. Default: https://api.github.com for
	// github.com, "/api/v3" below any other Server; a subdomain of ghe.com has
	// https://api.SUBDOMAIN.ghe.com.
	API string

	// HTTPClient, where set, lends its Transport and its Timeout. Redirects are
	// not followed and cookies not kept, whatever it says. Default: a transport
	// of the provider's own, with proxies from the environment.
	HTTPClient *http.Client
}

const githubServer = "https://github.com"

func (c GitHubConfig) withDefaults() GitHubConfig {
	c.Name = cmp.Or(c.Name, "github")
	c.Server = strings.TrimSuffix(cmp.Or(c.Server, githubServer), "/")
	switch {
	case c.API != "":
		c.API = strings.TrimSuffix(c.API, "/")
	case c.Server == githubServer:
		c.API = "https://api.github.com"
	default:
		c.API = c.Server + "/api/v3"
	}
	c.Scopes, c.AuthParams = slices.Clone(c.Scopes), copyValues(c.AuthParams)
	return c
}

// validate reports every mistake of a configuration with defaults at once.
func (c GitHubConfig) validate() error {
	m := mistakesOf(c.Name)
	if c.ClientID == "" {
		m.add("ClientID", "is empty: register an OAuth app or a GitHub App and copy its client ID")
	}
	if c.ClientSecret.IsZero() {
		m.add("ClientSecret", "is empty: generate a client secret in the settings of the app and copy it")
	}
	m.base("Server", c.Server)
	m.base("API", c.API)
	m.scopes(c.Scopes)
	m.params(c.AuthParams)
	return m.err()
}
