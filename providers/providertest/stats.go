package providertest

import (
	"maps"
	"net/http"
	"time"
)

// Stats counts what happened to a provider since it was made. A request counts
// when it arrives, whatever becomes of it; a request that a fault kept from
// being sent has not arrived.
type Stats struct {
	Requests map[Endpoint]int

	CodeExchanges int // token requests by grant type
	Refreshes     int

	Refreshed     int // refresh requests that were granted
	ReuseDetected int // refresh tokens that came back and cost a grant
	CodesReused   int
	Revocations   int // revocation requests that were granted
	Rejected      int // access tokens refused by userinfo or API
	LogoutsTold   int // logout tokens that a client accepted
	LogoutsLost   int // logout tokens that a client refused, or was not there to get

	LiveGrants  int // sign-ins whose tokens can still be refreshed
	InFlight    int // token requests being handled now
	MaxInFlight int // the most there ever were at once
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Requests = maps.Clone(st.Requests)
	st.InFlight = s.inFlight
	now := time.Now()
	for _, g := range s.grants {
		if g.refreshed && g.live(now) {
			st.LiveGrants++
		}
	}
	return st
}

// enter counts a request that arrives.
func (s *Server) enter(e Endpoint, w http.ResponseWriter, r *http.Request) {
	if e == Token {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		r.ParseForm() // the handler finds the same error again
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Requests[e]++
	if e != Token {
		return
	}
	switch r.PostForm.Get("grant_type") {
	case grantCode:
		s.stats.CodeExchanges++
	case grantRefresh:
		s.stats.Refreshes++
	}
	s.inFlight++
	s.stats.MaxInFlight = max(s.stats.MaxInFlight, s.inFlight)
}

func (s *Server) leave(e Endpoint) {
	if e == Token {
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}
}
