package providertest

import (
	"net/http"
	"net/url"
	"strings"
)

// Server is an OpenID provider. It is an [http.Handler], to be mounted where
// its issuer URL says; [Server.Client] reaches it without a listener. It is
// safe for concurrent use, starts no goroutines, and keeps its state in memory;
// [Server.Remember] keeps it in a file as well.
//
// It is made to be fooled and broken. Never let it vouch for real people.
type Server struct {
	cfg    Config
	prefix string // path of the issuer
	keys   *keyring
	routes map[string]guarded

	mu watched // guards what follows
	state
	faults    []*armed
	holds     []*hold
	mutations Mutations
	stats     Stats
	inFlight  int
	secrets   secretLog
	clientNet http.RoundTripper // how clients are reached; nil: not at all
}

// New returns a provider that behaves as cfg says. It panics where cfg
// contradicts itself.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	issuer, _ := url.Parse(cfg.Issuer)
	s := &Server{
		cfg:    cfg,
		prefix: strings.TrimSuffix(issuer.Path, "/"),
		keys:   &keyring{algorithm: cfg.Algorithm},
		routes: make(map[string]guarded),
		state:  newState(cfg),
		stats:  Stats{Requests: make(map[Endpoint]int)},
	}
	for _, c := range cfg.Clients {
		s.secrets.add(c.Secret)
	}
	for path, g := range map[string]guarded{
		"/.well-known/openid-configuration": {s, Discovery, s.discovery},
		"/jwks":                             {s, JWKS, s.jwks},
		"/authorize":                        {s, Authorization, s.authorize},
		"/authorize/answer":                 {s, Authorization, s.answer},
		"/token":                            {s, Token, s.token},
		"/userinfo":                         {s, UserInfo, s.userinfo},
		"/revoke":                           {s, Revocation, s.revoke},
		"/logout":                           {s, EndSession, s.endSession},
	} {
		s.routes[s.prefix+path] = g
	}
	return s
}

// Issuer is the issuer URL, exactly as tokens and metadata carry it.
func (s *Server) Issuer() string { return s.cfg.Issuer }

// Client returns an HTTP client that reaches this provider and nothing else,
// without a socket.
func (s *Server) Client() *http.Client {
	return &http.Client{Transport: NewNetwork(map[string]http.Handler{s.Host(): s})}
}

// Host is the host of the issuer URL, for a Network.
func (s *Server) Host() string {
	issuer, _ := url.Parse(s.cfg.Issuer)
	return hostOf(issuer)
}

// ServeHTTP serves the endpoints below the issuer URL.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g, ok := s.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	g.ServeHTTP(w, r)
}

// refuseDial makes the server a dialGuard.
func (s *Server) refuseDial(r *http.Request) error {
	if g, ok := s.routes[r.URL.Path]; ok {
		return g.refuseDial(r)
	}
	return nil
}

// endpoint is the URL of a path below the issuer.
func (s *Server) endpoint(path string) string {
	return strings.TrimSuffix(s.cfg.Issuer, "/") + path
}
