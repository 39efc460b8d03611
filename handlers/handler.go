package handlers

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/internal/authpath"
	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// Handler serves every path under the prefix, and 404 for any other. It reads
// the path of the request as it came: mount it without http.StripPrefix. It is
// safe for concurrent use.
type Handler struct {
	sessions  *session.Manager
	providers []providers.Provider
	byName    map[string]providers.Provider
	paths     *authpath.Matcher
	origin    origin.Origin // of the application
	realm     string
	base      string // public URL of the prefix
	targets   targets
	flows     flowCookies
	logouts   logoutCookie
	me        disclosure
	strict    bool
	log       *slog.Logger
}

// ServeHTTP answers a request under the prefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	place, path := h.paths.Match(r.URL)
	rt, found := h.route(path)
	if place != authpath.Inside || !found {
		respond.Fail(w, r, respond.NotFound, respond.Options{})
		return
	}
	if !slices.Contains(rt.methods, r.Method) {
		w.Header().Set("Allow", strings.Join(rt.methods, ", "))
		respond.Fail(w, r, respond.MethodNotAllowed, respond.Options{})
		return
	}
	rt.serve(w, r)
}

// route is what answers one path.
type route struct {
	methods []string
	serve   http.HandlerFunc
}

var (
	onlyGet  = []string{http.MethodGet}
	getPost  = []string{http.MethodGet, http.MethodPost}
	onlyPost = []string{http.MethodPost}
	getHead  = []string{http.MethodGet, http.MethodHead} // fixed pages: HEAD changes nothing
)

// route finds what answers path, which is canonical and without the prefix.
func (h *Handler) route(path string) (route, bool) {
	switch path {
	case "login":
		if len(h.providers) == 1 {
			return route{onlyGet, h.with(h.providers[0], h.login)}, true
		}
		return route{getHead, h.choose}, true
	case "logout":
		return route{getPost, h.logout}, true
	case "logout/complete", "logout/done":
		return route{onlyGet, h.loggedOut}, true
	case "me":
		return route{onlyGet, h.whoami}, true
	case "refresh":
		return route{getPost, h.refresh}, true
	}
	if name, ok := strings.CutPrefix(path, "backchannel-logout/"); ok {
		p, _ := h.provider(name)
		v, able := p.(providers.LogoutVerifier)
		return route{onlyPost, func(w http.ResponseWriter, r *http.Request) { h.backchannel(w, r, p, v) }}, able
	}
	rest, login := strings.CutPrefix(path, "login/")
	name, action, _ := strings.Cut(rest, "/")
	p, known := h.provider(name)
	if !login || !known {
		return route{}, false
	}
	switch action {
	case "":
		return route{onlyGet, h.with(p, h.login)}, true
	case "callback":
		return route{getPost, h.with(p, h.callback)}, true
	case "done":
		return route{getHead, h.with(p, h.done)}, h.strict
	}
	return route{}, false
}

// provider finds a provider by its path segment. App Service's SDKs send it in
// any case and know Entra ID by an older name too.
func (h *Handler) provider(segment string) (providers.Provider, bool) {
	name := strings.ToLower(segment)
	if name == "windowsazureactivedirectory" {
		name = "aad"
	}
	p, known := h.byName[name]
	return p, known
}

func (h *Handler) with(p providers.Provider, serve func(http.ResponseWriter, *http.Request, providers.Provider)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { serve(w, r, p) }
}
