package respond

import "net/http"

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
	script(w, r, receiverPage, "default-src 'none'; base-uri 'none'; frame-ancestors "+origin, origin)
}

const (
	messageScript = `(function(){var d=document.body.dataset,o=window.opener;if(!o)return;` +
		`try{o.frames["zumo-login-receiver"].transferLoginResult(JSON.parse(d.text))}catch(e){o.postMessage(d.text,d.origin)}})()`
	receiverScript = `window.transferLoginResult=function(m){window.parent.postMessage(JSON.stringify(m),document.body.dataset.origin)}`
)

var (
	messagePage = newScripted("Sign-in finished", `<body data-text="{{.Text}}" data-origin="{{.Origin}}">
<main>
<h1>Sign-in finished</h1>
<p>You can close this window.</p>
</main>`, messageScript)
	receiverPage = newScripted("Sign-in finished", `<body data-origin="{{.}}">`, receiverScript)
)
