package respond

import "net/http"

// preflightAge is how long a browser may remember the answer to a preflight, in
// seconds.
const preflightAge = "600"

// Share lets a page of this origin read the answer. Credentials are not allowed:
// a browser shows no page what it got with a cookie (docs/threats.md CSR6).
func Share(h http.Header, origin string) {
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
}

// IsPreflight reports whether a browser asks if a page may send a request.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// Preflight answers that a page of this origin may send requests with these
// methods and these headers.
func Preflight(w http.ResponseWriter, origin, methods, headers string) {
	h := w.Header()
	NoStore(h)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", methods)
	if headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
}
