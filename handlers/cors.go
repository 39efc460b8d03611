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

// share lets a page of an allowed origin read the answer of a route for programs,
// and reports whether the request is answered by that: it was a preflight.
//
// Credentials are not allowed, so a browser shows no page what it got with a
// cookie; and a request of another site has no session by its cookie here, see
// load. An origin that is not allowed gets the answer that it would get without
// CORS, and may not read it (CSR6).
func (h *Handler) share(w http.ResponseWriter, r *http.Request, methods []string) bool {
	if !h.trusted(r) {
		w.Header().Add("Vary", "Origin")
		return false
	}
	from, wants := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	switch {
	case !respond.IsPreflight(r):
		respond.Share(w.Header(), from)
		return false
	case !slices.Contains(methods, wants):
		w.Header().Add("Vary", "Origin")
		return false
	}
	respond.Preflight(w, from, strings.Join(methods, ", "), sharedHeaders)
	return true
}
