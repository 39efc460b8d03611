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
	tokens    bool // the session manager has keys for session tokens
	storeOff  bool // no token of a provider is kept
	codes     codes
	clients   turns // of clients that sign in
	browsers  turns // of callbacks
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
	h.serve(w, r, rt)
}

// serve answers one request by rt.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, rt route) {
	if rt.shared && h.tokens && h.share(w, r, rt.methods) {
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
	shared  bool // with the pages of allowed origins
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
			return h.orPost(onlyGet, h.with(h.providers[0], h.login), h.tokenLogin), true
		}
		return h.orPost(getHead, h.choose, h.tokenLogin), true
	case "login/done":
		return route{methods: getHead, serve: h.ended}, true
	case "login/iframereceiver":
		return route{methods: onlyGet, serve: h.receiver}, true
	case "logout":
		return route{methods: getPost, serve: h.logout}, true
	case "logout/complete", "logout/done":
		return route{methods: onlyGet, serve: h.loggedOut}, true
	case "me":
		return route{methods: onlyGet, serve: h.whoami, shared: true}, !h.storeOff
	case "refresh":
		return route{methods: getPost, serve: h.refresh, shared: true}, true
	}
	if name, ok := strings.CutPrefix(path, "backchannel-logout/"); ok {
		p, _ := h.provider(name)
		v, able := p.(providers.LogoutVerifier)
		return route{methods: onlyPost, serve: func(w http.ResponseWriter, r *http.Request) { h.backchannel(w, r, p, v) }}, able
	}
	rest, login := strings.CutPrefix(path, "login/")
	name, action, _ := strings.Cut(rest, "/")
	p, known := h.provider(name)
	if !login || !known {
		return route{}, false
	}
	switch action {
	case "":
		if c, able := p.(providers.ClientLogin); able {
			return h.orPost(onlyGet, h.with(p, h.login), func(w http.ResponseWriter, r *http.Request) { h.clientLogin(w, r, p, c) }), true
		}
		return route{methods: onlyGet, serve: h.with(p, h.login)}, true
	case "callback":
		return route{methods: getPost, serve: h.with(p, h.callback)}, true
	case "token":
		return route{methods: onlyGet, serve: h.with(p, h.exchange), shared: true}, h.tokens
	case "done":
		return route{methods: getHead, serve: h.with(p, h.done)}, h.strict
	}
	return route{}, false
}

// orPost is a route for browsers that by POST is one for programs. Without
// session tokens there is nothing to give them.
func (h *Handler) orPost(methods []string, get, post http.HandlerFunc) route {
	if !h.tokens {
		return route{methods: methods, serve: get}
	}
	return route{methods: append(slices.Clone(methods), http.MethodPost), shared: true, serve: func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			post(w, r)
			return
		}
		get(w, r)
	}}
}

// provider finds a provider by its path segment. App Service's SDKs send it in
// any case, and know Entra ID by an older name and X by both of its own.
func (h *Handler) provider(segment string) (providers.Provider, bool) {
	name := strings.ToLower(segment)
	p, known := h.byName[name]
	if !known {
		p, known = h.byName[aliases[name]]
	}
	return p, known
}

// aliases are further names of providers, which count where no provider has them.
var aliases = map[string]string{
	"windowsazureactivedirectory": "aad",
	"azureactivedirectory":        "aad",
	"x":                           "twitter",
	"twitter":                     "x",
}

func (h *Handler) with(p providers.Provider, serve func(http.ResponseWriter, *http.Request, providers.Provider)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { serve(w, r, p) }
}
