// Callapi calls an API as the signed-in user. The client that easyauth gives
// attaches a fresh access token to every call; when the API refuses one before
// its time, the client has it renewed and sends the call once more.
//
//	go run ./examples/callapi
package main

import (
	"html/template"
	"io"
	"net/http"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/demo"
	"github.com/goeasyauth/easyauth/examples/internal/devprovider"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

func main() { demo.Main(mount) }

func mount(on demo.Ground) (http.Handler, func() error, error) {
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   on.Base,
		Providers: []providers.Provider{on.Dev.OIDC},
		Store:     on.Store,
		Keys:      on.Keys,
	})
	if err != nil {
		return nil, nil, err
	}
	c := caller{on.Dev}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", auth.Require(http.HandlerFunc(c.call)))
	mux.Handle("POST /reject", auth.Require(http.HandlerFunc(c.reject)))
	return auth.Wrap(http.NewCrossOriginProtection().Handler(mux)), auth.Close, nil
}

type caller struct{ dev *devprovider.Provider }

// call asks the API who the user is: an ordinary HTTP call with an ordinary
// client, which acts for the user of this request.
func (c caller) call(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context()) // behind Require: there is one
	asked := c.requests()

	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, c.dev.APIURL(), nil)
	if err != nil {
		http.Error(w, "no such API", http.StatusInternalServerError)
		return
	}
	resp, err := s.Client(r.Context()).Do(req)
	if err != nil { // errors.Is tells the errors of package grant from those of the network
		http.Error(w, "the API cannot be asked as you: "+err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		http.Error(w, "the API's answer broke off", http.StatusBadGateway)
		return
	}

	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = page.Execute(w, map[string]any{"Name": s.User.Name, "Status": resp.Status, "Code": resp.StatusCode, "Body": string(body), "Requests": c.requests() - asked})
}

// reject makes the API refuse every access token that was issued so far, as
// APIs do after a key change or a new password.
func (c caller) reject(w http.ResponseWriter, r *http.Request) {
	c.dev.Server.RejectAccessTokens()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// requests is how often the API was asked.
func (c caller) requests() int { return c.dev.Server.Stats().Requests[providertest.Resource] }

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Calling an API</title>
<h1>Calling an API as {{.Name}}</h1>
<p>It answered <b id="status">{{.Status}}</b> and was asked <b id="requests">{{.Requests}}</b> time(s) for this page:</p>
<pre>{{.Body}}</pre>
{{if eq .Code 401}}<p>The token was refused, and it is too young to be renewed already: a token is renewed at most once in five seconds.
<a href="/">Call again</a></p>{{end}}
<form method="post" action="/reject"><button>Let the API refuse this token, and call again</button></form>
<p><a href="/.auth/logout">Sign out</a></p>
</html>
`))
