package handlers

import (
	"net/http"
	"net/url"

	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/internal/respond"
)

// foreign reports whether another site caused the request, siblings of the same
// registrable domain included (CSR1-CSR4). Browsers tell in Sec-Fetch-Site,
// older ones in Origin where they send it. A request with neither is none that a
// page of today's browsers can cause: it is a program's, and carries the session
// cookie because somebody gave it one. Against older browsers stands the
// cookie's SameSite.
func (h *Handler) foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none": // none: address bar, bookmark
		return false
	case "":
		from := r.Header.Get("Origin")
		if from == "" {
			return false
		}
		u, err := url.Parse(from)
		return err != nil || origin.Of(u) != h.origin
	}
	return true
}

// opensPage reports whether the request may be a person's browser opening a
// page. Where the browser says what it does, only a top-level navigation counts:
// not an image, a frame or a script (LOG9), and not a guess that the user might
// go there.
func opensPage(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document") && !respond.Prefetch(r)
}
