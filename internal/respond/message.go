package respond

import (
	"bytes"
	"html/template"
	"net/http"
)

// Message answers the popup of a sign-in with a page that hands text over to the
// window that opened it, and to nobody else: the browser delivers it only if that
// window shows a page of exactly this origin (contract 1.6). A window of Internet
// Explorer cannot be reached so; there the page finds a frame of ours in it, see
// [Receiver]. The page stays open, because its opener takes a popup that closes
// by itself for one that was closed by the user.
func Message(w http.ResponseWriter, r *http.Request, text, origin string) {
	script(w, r, messagePage, basePolicy, struct{ Text, Origin string }{text, origin})
}

// Receiver answers the frame in which an old browser's page waits for [Message].
// Only a page of origin can frame it, and only that page hears it.
func Receiver(w http.ResponseWriter, r *http.Request, origin string) {
	script(w, r, receiverPage, "default-src 'none'; base-uri 'none'; frame-ancestors "+origin, struct{ Text, Origin string }{"", origin})
}

// The scripts are constant, so that the policy can name them by their digest;
// what they handle stands beside them as data.
const (
	messageScript = `(function(){var d=document.body.dataset,o=window.opener;if(!o)return;` +
		`try{o.frames["zumo-login-receiver"].transferLoginResult(JSON.parse(d.text))}catch(e){o.postMessage(d.text,d.origin)}})()`
	receiverScript = `window.transferLoginResult=function(m){window.parent.postMessage(JSON.stringify(m),document.body.dataset.origin)}`
)

// scripted is a page whose body ends with its one script.
type scripted struct {
	*template.Template
	digest string
}

var (
	messagePage = newScripted(`<h1>Sign-in finished</h1>
<p>You can close this window.</p>`, messageScript)
	receiverPage = newScripted("", receiverScript)
)

func newScripted(body, script string) scripted {
	return scripted{template.Must(template.New("scripted").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign-in finished</title>
<style>` + style + `</style>
</head>
<body data-text="{{.Text}}" data-origin="{{.Origin}}">
<main>
` + body + `
</main>
<script>` + script + `</script>
</body>
</html>
`)), digest(script)}
}

// script answers with a page under policy, to which the page's script is added.
func script(w http.ResponseWriter, r *http.Request, page scripted, policy string, data any) {
	var body bytes.Buffer
	if err := page.Execute(&body, data); err != nil {
		Problem(w, r, Internal, Options{}) // the page and its data do not fit: a mistake in this package
		return
	}
	NoStore(w.Header())
	w.Header().Set("Content-Security-Policy", policy+"; form-action 'none'; script-src 'sha256-"+page.digest+"'")
	write(w, r, http.StatusOK, "text/html; charset=utf-8", body.Bytes())
}
