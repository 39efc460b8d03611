package providertest

import "slices"

// stage is a moment in the handling of a request.
type stage int

const (
	before stage = iota // it has arrived, and nothing has happened yet
	after               // it was processed, and its answer has not left
)

type hold struct {
	endpoint Endpoint
	stage    stage
	open     chan struct{}
}

// Hold makes requests to an endpoint wait, before anything is done about them,
// until release is called. Requests that were let go by their clients wait,
// too, and are then processed: no server learns in time that nobody listens.
func (s *Server) Hold(e Endpoint) (release func()) { return s.hold(e, before) }

// HoldAnswers is Hold after the processing: refresh tokens are rotated, and
// only the answers wait.
func (s *Server) HoldAnswers(e Endpoint) (release func()) { return s.hold(e, after) }

func (s *Server) hold(e Endpoint, at stage) (release func()) {
	h := &hold{e, at, make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, h)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.holds, h); i >= 0 {
			s.holds = slices.Delete(s.holds, i, i+1)
			close(h.open)
		}
	}
}

// wait waits until nothing holds e at this stage.
func (s *Server) wait(e Endpoint, at stage) {
	for {
		h := s.holding(e, at)
		if h == nil {
			return
		}
		<-h.open
	}
}

func (s *Server) holding(e Endpoint, at stage) *hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.holds {
		if h.stage == at && (h.endpoint == e || h.endpoint == Everything) {
			return h
		}
	}
	return nil
}
