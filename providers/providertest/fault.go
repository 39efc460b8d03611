package providertest

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Fault is one way in which the provider fails. When it strikes is said by
// Times and For; what happens then, in this order, by the other fields.
type Fault struct {
	Times int           // how many requests it strikes; 0: all
	For   time.Duration // how long, from the call of Fail; 0: without end

	// Down keeps the request from being sent: to a client on a Network the
	// connection is refused (a *net.OpError of Op "dial"). On a real listener
	// it is Cut.
	Down bool

	// Delay passes before the request is looked at. Like any server, the
	// provider goes on even if the client has left by then.
	Delay time.Duration

	// Process handles the request, so that the code is spent and the refresh
	// token rotated, before the answer is lost or replaced.
	Process bool

	// Lag passes between the processing and the answer.
	Lag time.Duration

	// Cut closes the connection without an answer.
	Cut bool

	// OAuthError answers with this error code, and status 400 unless Status
	// says otherwise.
	OAuthError string

	// Status, Header and Body are the answer. A status of 0 is 200 if there is
	// a body.
	Status int
	Header http.Header
	Body   string

	// Answer answers by itself, for bodies that are endless, slow or broken off.
	Answer http.Handler

	// Edit changes the real answer; the request is processed.
	Edit func(header http.Header, body []byte) []byte
}

// armed is a fault that waits for its requests.
type armed struct {
	Fault
	endpoint Endpoint
	left     int       // where Times is set
	until    time.Time // where For is set
}

// Fail makes an endpoint fail. Several faults of one endpoint strike in the
// order in which they were given. heal ends this one; see also Heal.
func (s *Server) Fail(e Endpoint, f Fault) (heal func()) {
	a := &armed{Fault: f, endpoint: e, left: f.Times}
	if f.For > 0 {
		a.until = time.Now().Add(f.For)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, a)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.disarm(a)
	}
}

// FailFor makes every endpoint answer 503, with the OAuth error
// temporarily_unavailable, for a while.
func (s *Server) FailFor(d time.Duration) (heal func()) {
	return s.Fail(Everything, Fault{For: d, Status: http.StatusServiceUnavailable, OAuthError: "temporarily_unavailable"})
}

// Heal ends all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// strike handles a request under the fault that is due for it, if any.
func (s *Server) strike(e Endpoint, w http.ResponseWriter, r *http.Request, handle http.HandlerFunc) {
	f, _ := s.take(e, func(*armed) bool { return true })
	time.Sleep(f.Delay)
	rec := &recorder{header: make(http.Header), status: http.StatusOK}
	if f.Process || f.Edit != nil || f.harmless() {
		handle(rec, r)
	}
	s.wait(e, after)
	time.Sleep(f.Lag)
	switch {
	case f.Cut || f.Down:
		panic(http.ErrAbortHandler)
	case f.Answer != nil:
		f.Answer.ServeHTTP(w, r)
		return
	case f.OAuthError != "":
		rec = &recorder{header: make(http.Header)}
		oauthError(rec, cmp.Or(f.Status, http.StatusBadRequest), f.OAuthError, "a fault of this test")
	case f.Status != 0 || f.Body != "":
		rec = &recorder{header: make(http.Header), status: cmp.Or(f.Status, http.StatusOK)}
		rec.body.WriteString(f.Body)
	case f.Edit != nil:
		rec.body = *bytes.NewBuffer(f.Edit(rec.header, rec.body.Bytes()))
	}
	for name, values := range f.Header {
		rec.header[http.CanonicalHeaderKey(name)] = values
	}
	rec.send(w)
}

// harmless reports whether the fault only takes time or adds headers.
func (f Fault) harmless() bool {
	return !f.Cut && !f.Down && f.Answer == nil && f.OAuthError == "" && f.Status == 0 && f.Body == ""
}

// strikeDown reports whether the fault that is due is that e cannot be reached.
func (s *Server) strikeDown(e Endpoint) bool {
	_, due := s.take(e, func(a *armed) bool { return a.Down })
	return due
}

// take uses up the fault that is due for e, if it is wanted.
func (s *Server) take(e Endpoint, wanted func(*armed) bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.faults = slices.DeleteFunc(s.faults, func(a *armed) bool { return a.For > 0 && !now.Before(a.until) })
	for _, a := range s.faults {
		if a.endpoint != e && a.endpoint != Everything {
			continue
		}
		if !wanted(a) {
			return Fault{}, false
		}
		if a.Times > 0 {
			if a.left--; a.left == 0 {
				s.disarm(a)
			}
		}
		return a.Fault, true
	}
	return Fault{}, false
}

// disarm removes a fault. The caller holds s.mu.
func (s *Server) disarm(gone *armed) {
	s.faults = slices.DeleteFunc(s.faults, func(a *armed) bool { return a == gone })
}
