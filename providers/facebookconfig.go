package providers

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// FacebookConfig describes an application registered with Facebook Login. The
// zero value of a field is its documented default.
type FacebookConfig struct {
	// Name is the provider's alias, see [Provider]. Default: facebook.
	Name string

	// AppID and AppSecret are the application's registration. Both are required.
	AppID     string
	AppSecret Secret

	// Scopes are the permissions that are asked for at every sign-in. Default:
	// none, for which Facebook gives public_profile.
	Scopes []string

	// Fields are what is asked of the user's profile; id is added where it is
	// missing. Facebook leaves out what the user has not permitted. Where it
	// refuses a field altogether, because its version of the Graph API has it no
	// more, id, name, first_name and last_name are asked for instead.
	// Default: id, name, link, first_name, last_name, gender, email.
	Fields []string

	// AuthParams are further parameters of every authorization request, such as
	// display or auth_type. A caller's parameter of the same name replaces one.
	AuthParams url.Values

	// GraphVersion is the version of the Graph API and of the sign-in dialog.
	// Facebook keeps each for about two years. Default: v25.0.
	GraphVersion string

	// Dialog is where people sign in. Default: https://www.facebook.com.
	Dialog string

	// Graph is the root of the Graph API. Default: https://graph.facebook.com.
	Graph string

	// HTTPClient, where set, lends its Transport and its Timeout. Redirects are
	// not followed and cookies not kept, whatever it says. Default: a transport
	// of the provider's own, with proxies from the environment.
	HTTPClient *http.Client
}

var (
	graphVersionPattern = regexp.MustCompile(`^v[1-9][0-9]{0,2}\.[0-9]{1,2}$`)
	graphFieldPattern   = regexp.MustCompile(`^[a-z_]{1,64}$`)
)

func (c FacebookConfig) withDefaults() FacebookConfig {
	c.Name = cmp.Or(c.Name, "facebook")
	c.GraphVersion = cmp.Or(c.GraphVersion, "v25.0")
	c.Dialog = strings.TrimSuffix(cmp.Or(c.Dialog, facebookIssuer), "/")
	c.Graph = strings.TrimSuffix(cmp.Or(c.Graph, "https://graph.facebook.com"), "/")
	c.Scopes, c.Fields, c.AuthParams = slices.Clone(c.Scopes), slices.Clone(c.Fields), copyValues(c.AuthParams)
	if len(c.Fields) == 0 {
		c.Fields = []string{"id", "name", "link", "first_name", "last_name", "gender", "email"}
	}
	if !slices.Contains(c.Fields, "id") {
		c.Fields = append(c.Fields, "id")
	}
	return c
}

// validate reports every mistake of a configuration with defaults at once.
func (c FacebookConfig) validate() error {
	m := mistakesOf(c.Name)
	if c.AppID == "" {
		m.add("AppID", "is empty: create an app at Meta for Developers and copy its app ID")
	} else if strings.Contains(c.AppID, "|") {
		m.add("AppID", "holds a '|': copy the number alone")
	}
	if c.AppSecret.IsZero() {
		m.add("AppSecret", "is empty: copy the app secret from the app's basic settings")
	}
	if !graphVersionPattern.MatchString(c.GraphVersion) {
		m.add("GraphVersion", "%q is not a version: use one such as v25.0", c.GraphVersion)
	}
	for _, field := range c.Fields {
		if !graphFieldPattern.MatchString(field) {
			m.add("Fields", "%q is not a field of a profile: use names such as first_name", field)
		}
	}
	m.base("Dialog", c.Dialog)
	m.base("Graph", c.Graph)
	m.scopes(c.Scopes)
	m.params(c.AuthParams)
	return m.err()
}
