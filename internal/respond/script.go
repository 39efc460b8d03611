package respond

import (
	"bytes"
	"html/template"
	"net/http"
)

// scripted is a page whose body ends with its one script. The script is constant,
// so that the policy can name it by its digest; what it handles stands in the page.
type scripted struct {
	*template.Template
	digest string
}

// newScripted returns the page with this title. body begins with the tag of that
// name and leaves it open.
func newScripted(title, body, script string) scripted {
	return scripted{document(title, body+"\n<script>"+script+"</script>\n</body>"), digest(script)}
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
