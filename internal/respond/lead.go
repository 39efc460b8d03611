package respond

import "net/http"

// leadScript adds the part of the address that browsers keep to themselves, the
// fragment, to the target that the link ends in. One that would make the
// target longer than a login takes is left out.
const leadScript = `(function(){var a=document.getElementById("go"),h=location.hash;` +
	`if(h.length>1&&a.href.length+h.length<2048)a.href+=encodeURIComponent(h);location.replace(a.href)})()`

// Lead answers a person who has to sign in with a page that leads to login at
// once and takes the fragment of the present address along. login ends with the
// value of a parameter that names the present address. Without script the
// reader follows a link, and the fragment is lost.
func Lead(w http.ResponseWriter, r *http.Request, login string) {
	script(w, r, leadPage, basePolicy, login)
}

var leadPage = newScripted("Sign-in required", `<body>
<main>
<h1>Sign-in required</h1>
<p>You are being taken to the sign-in.</p>
<ul>
<li><a id="go" href="{{.}}">Continue</a></li>
</ul>
</main>`, leadScript)
