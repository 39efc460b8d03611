package main

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/goeasyauth/easyauth/examples/internal/onehost"
)

//go:embed unreachable.html
var unreachableText string

var unreachablePage = template.Must(template.New("unreachable").Parse(unreachableText))

// unreachable answers a request for which there is no answer of the application:
// 502, as a page for a person and as a problem (RFC 9457) for a program. Where
// the application is said only to its developer, on this computer.
func (p passOn) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // else the client went away, or the gateway stops
		p.log.WarnContext(r.Context(), "the application does not answer", "upstream", p.upstream.String(), "cause", err)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(`{"title":"The application does not answer","status":502}` + "\n"))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(http.StatusBadGateway)
	var where string
	if onehost.Loopback(p.public.String()) {
		where = p.upstream.String()
	}
	_ = unreachablePage.Execute(w, where)
}
