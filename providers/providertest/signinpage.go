package providertest

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
)

// signInPage is what a person sees who is sent here.
type signInPage struct {
	Client, Action, Request string
	Scopes, Users           []string
	SignIn                  bool
	User, Hint, Problem     string
}

func (p signInPage) write(w http.ResponseWriter, status int, redirectURI string) {
	writePage(w, status, "form-action 'self' "+originOf(redirectURI), signInTemplate, p)
}

// refusePage shows why a request that cannot be answered to the client is refused.
func refusePage(w http.ResponseWriter, status int, problem string) {
	writePage(w, status, "form-action 'none'", refuseTemplate, problem)
}

// notePage tells the person something.
func notePage(w http.ResponseWriter, title string) {
	writePage(w, http.StatusOK, "form-action 'none'", noteTemplate, title)
}

// postPage sends an authorization response by form_post (OAuth 2.0 Form Post
// Response Mode): the browser posts it on by itself.
func postPage(w http.ResponseWriter, action string, params url.Values) {
	writePage(w, http.StatusOK, "script-src 'sha256-"+hashOf(submitScript)+"'; form-action "+originOf(action),
		postTemplate, map[string]any{"Action": template.URL(action), "Params": params, "Script": template.JS(submitScript)})
}

func writePage(w http.ResponseWriter, status int, policy string, t *template.Template, data any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+hashOf(pageStyle)+"'; frame-ancestors 'none'; base-uri 'none'; "+policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	t.Execute(w, data)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// originOf is the origin that a policy must allow a form to end up at:
// browsers apply form-action to the redirects after a post, too.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}

const submitScript = `document.forms[0].submit()`

const pageStyle = `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
label,input,button{display:block;font:inherit}input{box-sizing:border-box;width:100%;padding:.5rem;margin:.25rem 0 1rem}
button{display:inline-block;padding:.5rem 1.25rem;margin-right:.5rem}small{color:#55555f}
@media (prefers-color-scheme:dark){body{color:#ececf1;background:#17171c}small{color:#a9a9b5}}`

const (
	pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Development provider</title><style>` + pageStyle + `</style></head><body><main>`
	pageFoot = `</main></body></html>
`
)

var signInTemplate = template.Must(template.New("sign-in").Parse(pageHead + `
<h1>{{if .SignIn}}Sign in{{else}}Allow access{{end}}</h1>
<p><strong>{{.Client}}</strong> asks for: {{range $i, $s := .Scopes}}{{if $i}}, {{end}}{{$s}}{{end}}.</p>
{{with .Problem}}<p role="alert">{{.}}</p>{{end}}
<form method="post" action="{{.Action}}">
<input type="hidden" name="request" value="{{.Request}}">
{{if .SignIn}}<label for="user">User name</label>
<input id="user" name="user" value="{{.Hint}}" autocomplete="username" autocapitalize="none" list="users" required autofocus>
<datalist id="users">{{range .Users}}<option value="{{.}}"></option>{{end}}</datalist>
{{else}}<p>You are signed in as {{.User}}.</p>
{{end}}<button name="action" value="allow">{{if .SignIn}}Sign in{{else}}Allow{{end}}</button>
<button name="action" value="deny" formnovalidate>Cancel</button>
</form>
<p><small>This is a development provider. It asks for no password and proves nothing.</small></p>` + pageFoot))

var refuseTemplate = template.Must(template.New("refuse").Parse(pageHead + `
<h1>This request cannot be answered</h1><p role="alert">{{.}}</p>` + pageFoot))

var noteTemplate = template.Must(template.New("note").Parse(pageHead + `
<h1>{{.}}</h1>` + pageFoot))

var postTemplate = template.Must(template.New("post").Parse(pageHead + `
<form method="post" action="{{.Action}}">{{range $name, $values := .Params}}{{range $values}}
<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
<noscript><button>Continue</button></noscript></form><script>{{.Script}}</script>` + pageFoot))
