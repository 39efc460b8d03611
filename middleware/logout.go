package middleware

import (
	"net/http"
	"net/url"
)

// isLogout reports whether the request is for the application's own address of
// the logout, in its plain spelling. There is none where that is "".
func (g *Guard) isLogout(r *http.Request) bool {
	return g.logoutPath != "" && r.URL.Path == g.logoutPath && r.URL.RawPath == ""
}

// asLogout is the request as one for the logout of easyauth.
func (g *Guard) asLogout(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.Path = g.paths.Prefix() + "/logout"
	r.RequestURI = r.URL.RequestURI()
	return r
}

// isPlainPath reports whether path is one that a request can ask for in only
// one way.
func isPlainPath(path string) bool {
	u := &url.URL{Path: path}
	return oneReading(path) && u.EscapedPath() == path
}
