package handlers

import (
	"net/http"

	"github.com/goeasyauth/easyauth/internal/authpath"
)

// Before serves what is under the prefix and passes every other request on to
// next.
func (h *Handler) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if place, _ := h.paths.Match(r.URL); place == authpath.Outside {
			next.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
