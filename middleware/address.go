package middleware

import (
	"net/http"
	"strings"

	"github.com/goeasyauth/easyauth/internal/respond"
)

// elsewhere answers a request that did not come by the address that the
// application is reached at, where the gate asks for that, and reports whether
// it did. The address it leads to is BaseURL's.
func (g *Guard) elsewhere(w http.ResponseWriter, r *http.Request) bool {
	plain := g.gate.RequireHTTPS && !g.proxy.secure(r)
	if !plain && !(g.gate.CanonicalHost && respond.Navigation(r) && !g.isOurs(g.proxy.host(r))) {
		return false
	}
	target := asked(r).RequestURI()
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !strings.HasPrefix(target, "/") {
		respond.Fail(w, r, respond.HTTPSRequired, respond.Options{})
		return true
	}
	respond.Moved(w, g.base+target)
	return true
}

// isOurs reports whether host is the one of BaseURL, whose default port may be
// spelled out.
func (g *Guard) isOurs(host string) bool {
	if strings.EqualFold(host, g.realm) {
		return true
	}
	port := ":443"
	if strings.HasPrefix(g.base, "http:") {
		port = ":80"
	}
	return strings.EqualFold(strings.TrimSuffix(host, port), strings.TrimSuffix(g.realm, port))
}
