package respond

import "net/http"

// Moved sends a GET or HEAD request on to the same thing at its right address.
// It is no secret and says nothing about who asks, but it is not cached either:
// whoever repairs the configuration of a proxy is not to be sent in circles for
// days by a browser that remembers.
func Moved(w http.ResponseWriter, location string) {
	h := w.Header()
	NoStore(h)
	h.Set("Location", headerURL(location))
	w.WriteHeader(http.StatusMovedPermanently)
}
