package azureclient_test

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// The other half of Azure Mobile Apps, which judges the session token by itself
// and asks easyauth who the user is, with that token and at the address in its
// iss (contract 1.7, 3.2).
func TestContract32ServerOfMobileAppsTakesTheSessionToken(t *testing.T) {
	t.Parallel()
	behind := &httputil.ReverseProxy{} // Rewrite is set when the server has a port
	s := startService(t, setup{App: behind})
	p := startProcess(t, "server.js", nil, []string{
		"WEBSITE_AUTH_SIGNING_KEY=" + signingKey, "ISSUER=" + s.URL + "/", "NODE_EXTRA_CA_CERTS=" + s.cert.File})
	var port int
	p.Read(&port)
	at := &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port)}
	behind.Rewrite = func(r *httputil.ProxyRequest) { r.SetURL(at) }

	c := startClient(t, s)
	u := c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})
	var answer struct {
		Result struct {
			ID       string
			Claims   struct{ Idp string }
			Identity map[string]struct {
				UserID string            `json:"user_id"`
				Claims map[string]string `json:"claims"` // by their short names too
			}
		}
	}
	identity := []any{"identity", map[string]any{"method": "GET", "parameters": map[string]string{"provider": "google"}}}
	c.Must(&answer, "invokeApi", identity...)
	google := answer.Result.Identity["google"]
	if answer.Result.ID != u.ID || answer.Result.Claims.Idp != "google" {
		t.Errorf("the server takes %s for %+v", u.ID, answer.Result)
	}
	if google.UserID != "ada@example.com" || google.Claims["nameidentifier"] != "sub-ada" || !strings.HasPrefix(google.Claims["name"], "Ada") {
		t.Errorf("the server knows of its user: %+v", google)
	}

	c.Must(nil, "resume", map[string]string{"userId": u.ID, "mobileServiceAuthenticationToken": u.Token[:len(u.Token)-8] + "AAAAAAAA"})
	if o := c.perform("invokeApi", identity); o.Error == nil || o.Error.Status != http.StatusUnauthorized {
		t.Errorf("a token that somebody changed: %s", o.Value)
	}
}
