package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
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

// trusted reports whether a page of an origin on the list of allowed places, or of
// the application itself, sent the request, and says so.
func (h *Handler) trusted(r *http.Request) bool {
	from := r.Header["Origin"]
	return len(from) == 1 && h.targets.trusts(from[0])
}

// stranger reports whether a page of a site caused the request that has no
// business here.
func (h *Handler) stranger(r *http.Request) bool { return h.foreign(r) && !h.trusted(r) }

// errCrossSite: another site's page asked with the user's cookie, or with nothing.
var errCrossSite = errors.New("handlers: request refused: caused by another site")

// load returns the session of a request, whoever caused it. A session token is
// sent by a program on purpose; a cookie comes along by itself, and counts only
// where a page of this application, or the user, asked (CSR2, CSR6, CSR7). To be
// told that its token is over is for pages of allowed origins too.
func (h *Handler) load(r *http.Request) (*session.Session, error) {
	if !h.foreign(r) {
		return h.sessions.Load(r)
	}
	if !h.tokens || len(r.Header["X-Zumo-Auth"]) == 0 {
		return nil, errCrossSite
	}
	return h.sessions.Load(r) // the header decides, and nobody sends it unasked
}

// opensPage reports whether the request may be a person's browser opening a
// page. Where the browser says what it does, only a top-level navigation counts:
// not an image, a frame or a script (LOG9), and not a guess that the user might
// go there.
func opensPage(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document") && !respond.Prefetch(r)
}
