package providertest

import "net/http"

// Endpoint names a part of the provider, for faults, holds and counters.
type Endpoint string

// The endpoints. Everything stands for all of them in Fail and Hold.
const (
	Everything    Endpoint = ""
	Discovery     Endpoint = "discovery"
	JWKS          Endpoint = "jwks"
	Authorization Endpoint = "authorization" // with the login form
	Token         Endpoint = "token"
	UserInfo      Endpoint = "userinfo"
	Revocation    Endpoint = "revocation"
	EndSession    Endpoint = "end_session"
	Resource      Endpoint = "resource" // the protected resource of Server.API
)

// guarded is the handler of an endpoint with the counters, holds and faults
// around it.
type guarded struct {
	server   *Server
	endpoint Endpoint
	handle   http.HandlerFunc
}

func (g guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.server.enter(g.endpoint, w, r)
	defer g.server.leave(g.endpoint)
	g.server.wait(g.endpoint, before)
	g.server.strike(g.endpoint, w, r, g.handle)
}

// refuseDial is how a Network learns that a fault keeps a request from
// reaching the endpoint at all.
func (g guarded) refuseDial(r *http.Request) error {
	if g.server.strikeDown(g.endpoint) {
		return dialError(r.URL.Host)
	}
	return nil
}
