package handlers

import (
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
)

// Ready returns a handler for a health route: 200 where every check of
// session.Manager.Ready is OK, otherwise 503, and the report as JSON. It is not
// one of the routes under the prefix; who may ask is for the application to say.
func (h *Handler) Ready() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			respond.Problem(w, r, respond.MethodNotAllowed, respond.Options{})
			return
		}
		report, status := h.sessions.Ready(r.Context()), http.StatusOK
		if !report.Ready {
			status = http.StatusServiceUnavailable
		}
		respond.JSON(w, r, status, report)
	})
}
