package providertest

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Endpoints that only providers without OpenID Connect have.
const (
	RequestTokens    Endpoint = "request_tokens"    // of OAuth 1.0a: where an attempt begins
	TokenExchange    Endpoint = "token_exchange"    // short-lived tokens for long-lived ones
	TokenInspection  Endpoint = "token_inspection"  // what a token is, and whose
	EmailAddresses   Endpoint = "email_addresses"   // of a user
	AccessRevocation Endpoint = "access_revocation" // of one access token
)

// Social is what [GitHub], [Facebook] and [Twitter] have in common: providers
// that speak OAuth without OpenID Connect. Each is an [http.Handler] for all of
// its hosts at once, and Client reaches it without a listener. Whoever types a
// name is believed. It is safe for concurrent use and starts no goroutines.
//
// A person called alice has a number for an id, always the same one, and the
// profile that the provider's own type describes, until SetProfile changes it.
type Social struct {
	engine *Server // lends faults, counters and the list of secrets
	url    string
	routes map[string]guarded
	trim   func(path string) string                   // the part of a path that names the route; nil: all
	refine func(route string, r *http.Request) string // tells apart what one path serves, by the form; nil: nothing
	read   func(url.Values) (*consent, string)

	mu       sync.Mutex // guards what follows, and the state of the provider around it
	profiles map[string]string
}

// consent is what a person is asked for.
type consent struct {
	client      string
	scopes      []string
	redirectURI string
	grant       func(user string) url.Values
	deny        func() url.Values
}

func newSocial(address string) *Social {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		panic(fmt.Sprintf("providertest: URL %q: want http(s)://host", address))
	}
	s := &Social{
		engine:   New(Config{}),
		url:      strings.TrimSuffix(address, "/"),
		routes:   make(map[string]guarded),
		profiles: make(map[string]string),
	}
	s.handle("POST /authorize/answer", Authorization, s.answer)
	return s
}

// handle serves a route, with the faults and counters of the endpoint.
func (s *Social) handle(route string, e Endpoint, h http.HandlerFunc) {
	s.routes[route] = guarded{s.engine, e, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if r.ParseForm() != nil {
			http.Error(w, "the request cannot be read", http.StatusBadRequest)
			return
		}
		h(w, r)
	}}
}

// URL is the address below which every endpoint is.
func (s *Social) URL() string { return s.url }

// Host is the host of URL, for a Network.
func (s *Social) Host() string {
	u, _ := url.Parse(s.url)
	return hostOf(u)
}

// Client returns an HTTP client that reaches this provider and nothing else,
// without a socket.
func (s *Social) Client() *http.Client {
	return &http.Client{Transport: NewNetwork(map[string]http.Handler{s.Host(): s})}
}

// ServeHTTP serves the endpoints below URL.
func (s *Social) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := s.route(r)
	if s.refine != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		route = s.refine(route, r)
	}
	g, ok := s.routes[route]
	if !ok {
		http.NotFound(w, r)
		return
	}
	g.ServeHTTP(w, r)
}

// route names the route that serves r, whose body belongs to the client still.
func (s *Social) route(r *http.Request) string {
	if s.trim != nil {
		return r.Method + " " + s.trim(r.URL.Path)
	}
	return r.Method + " " + r.URL.Path
}

// refuseDial makes it a dialGuard.
func (s *Social) refuseDial(r *http.Request) error {
	if g, ok := s.routes[s.route(r)]; ok {
		return g.refuseDial(r)
	}
	return nil
}

// Fail makes an endpoint fail, as [Server.Fail] does.
func (s *Social) Fail(e Endpoint, f Fault) (heal func()) { return s.engine.Fail(e, f) }

// Stats returns how often each endpoint was asked for, and the code exchanges
// and refreshes among the token requests.
func (s *Social) Stats() Stats { return s.engine.Stats() }

// Secrets returns every code, verifier and token that the provider issued or
// saw, and its client's secret, so that a test can search for them where they
// must not be.
func (s *Social) Secrets() []string { return s.engine.Secrets() }

// SetProfile makes object what the provider says about a user from now on: a
// JSON object, or whatever else it is to answer with.
func (s *Social) SetProfile(user, object string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiles[user] = object
}

// UserID is the number by which the provider knows a user of this name.
func (s *Social) UserID(user string) string { return strconv.FormatUint(userNumber(user), 10) }

// profile returns what the provider says about a user: object, unless a test
// has set something else. The caller holds s.mu.
func (s *Social) profile(user string, object string) string {
	if set, ok := s.profiles[user]; ok {
		return set
	}
	return object
}

// secret notes a value that must not be found in any log.
func (s *Social) secret(value string) string {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.engine.secrets.add(value)
	return value
}

// userNumber has at most nine digits, and the same ones for the same name.
func userNumber(user string) uint64 {
	h := fnv.New32a()
	h.Write([]byte(user))
	return 1_000_000 + uint64(h.Sum32())%900_000_000
}
