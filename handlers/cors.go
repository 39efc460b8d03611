package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/internal/respond"
)

// sharedHeaders are the request headers that the SDKs send from a page, besides
// those that need no leave (contract 6).
const sharedHeaders = "Accept, Content-Type, X-Requested-With, X-ZUMO-AUTH, X-ZUMO-FEATURES, X-ZUMO-INSTALLATION-ID, X-ZUMO-VERSION, ZUMO-API-VERSION"

// preflightAge is how long a browser may remember the answer, in seconds.
const preflightAge = "600"

// share lets a page of an allowed origin read the answer of a route for programs,
// and reports whether the request is answered by that: it was a preflight.
//
// Credentials are not allowed, so a browser shows no page what it got with a
// cookie; and a request of another site has no session by its cookie here, see
// load. An origin that is not allowed gets the answer that it would get without
// CORS, and may not read it (CSR6).
func (h *Handler) share(w http.ResponseWriter, r *http.Request, methods []string) bool {
	w.Header().Add("Vary", "Origin")
	if !h.trusted(r) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	wants := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || wants == "" {
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
		return false
	}
	if !slices.Contains(methods, wants) {
		w.Header().Del("Access-Control-Allow-Origin")
		return false
	}
	respond.NoStore(w.Header())
	w.Header().Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	w.Header().Set("Access-Control-Allow-Headers", sharedHeaders)
	w.Header().Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}
