package respond

import (
	"net/http"
	"slices"
	"strconv"
)

// NoStore sets the headers that every answer of easyauth carries: it is never
// cached, by anyone (docs/threats.md CAC2), its type is never guessed, and the
// address it was got from is told to nobody (docs/threats.md REP4).
func NoStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// Middleware around us may have its own Vary; ours comes beside it.
	if !slices.Contains(h.Values("Vary"), "Cookie") {
		h.Add("Vary", "Cookie")
	}
}

// write sends one complete answer; its other headers are set. An answer to HEAD
// is the same without its body.
func write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client went away; there is nobody left to tell
	}
}
