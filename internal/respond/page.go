package respond

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// Page is a plain page of easyauth's own: a heading, a sentence, and what the
// reader can do next. Every text is escaped.
type Page struct {
	Title string // the title of the document and its heading
	Text  string
	Links []Link
	Form  *Form
}

// Link is something to go to. An empty Href is the page itself, loaded again.
type Link struct{ Text, Href string }

// Form is a single button that posts to Action.
type Form struct{ Button, Action string }

// Show answers with a page. The page runs no script, loads nothing, cannot be
// framed (docs/threats.md CSR8) and is read well on a phone and by a screen reader.
func Show(w http.ResponseWriter, r *http.Request, status int, p Page) {
	var body bytes.Buffer
	if err := layout.Execute(&body, p); err != nil {
		Problem(w, r, Internal, Options{}) // the layout and the Page do not fit: a mistake in this package
		return
	}
	h := w.Header()
	NoStore(h)
	h.Set("Content-Security-Policy", basePolicy+"; form-action 'none'")
	if p.Form != nil {
		// form-action stays open on purpose: browsers apply it to the redirect
		// that answers the post too, and signing out ends at the provider.
		h.Set("Content-Security-Policy", basePolicy)
		// Under no-referrer a browser posts with "Origin: null", which says
		// nothing to whoever checks that the post comes from this page.
		h.Set("Referrer-Policy", "same-origin")
	}
	write(w, r, status, "text/html; charset=utf-8", body.Bytes())
}

const style = `:root{color-scheme:light dark;font:1.125rem/1.6 system-ui,sans-serif}` +
	`body{margin:0}main{max-width:34rem;margin:12vh auto 0;padding:0 1.25rem}` +
	`h1{font-size:1.6rem;line-height:1.25}ul{list-style:none;padding:0}li{margin:.75rem 0}` +
	`li a,button{display:block;box-sizing:border-box;width:100%;padding:.75rem 1rem;border:2px solid;border-radius:.5rem;` +
	`font:inherit;color:inherit;background:none;text-align:center;text-decoration:none;cursor:pointer}` +
	`li a:hover,button:hover{text-decoration:underline}li a:focus-visible,button:focus-visible{outline:3px solid;outline-offset:3px}`

// document is the template of a page with this title and body.
func document(title, body string) *template.Template {
	return template.Must(template.New("document").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>` + title + `</title>
<style>` + style + `</style>
</head>
` + body + `
</html>
`))
}

var layout = document("{{.Title}}", `<body>
<main>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{- with .Form}}
<form method="post" action="{{.Action}}"><button type="submit">{{.Button}}</button></form>
{{- end}}
{{- with .Links}}
<ul>
{{- range .}}
<li><a href="{{.Href}}">{{.Text}}</a></li>
{{- end}}
</ul>
{{- end}}
</main>
</body>`)

var basePolicy = "default-src 'none'; style-src 'sha256-" + digest(style) + "'; base-uri 'none'; frame-ancestors 'none'"

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
