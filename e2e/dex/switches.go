package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// switches are in front of the provider: they count its token calls, remember
// its secrets, and make calls fail.
type switches struct {
	provider http.Handler

	mu      sync.Mutex
	stats   stats
	next    fault
	secrets map[string]bool
}

// stats counts what was asked, by the names that op.mjs has for it. Dex neither
// tells of a replay nor has it revocation or logout.
type stats struct {
	Calls       int `json:"calls"`
	Logins      int `json:"logins"`
	Refreshes   int `json:"refreshes"`
	Refreshed   int `json:"refreshed"`
	Userinfo    int `json:"userinfo"`
	InFlight    int `json:"inFlight"`
	MaxInFlight int `json:"maxInFlight"`
}

// fault is what becomes of the next token calls.
type fault struct {
	calls, status, retryAfter int
	delay                     time.Duration
	cut                       bool
}

func newSwitches(provider http.Handler) *switches {
	return &switches{provider: provider, secrets: map[string]bool{clientSecret: true}}
}

func (s *switches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_stats":
		s.mu.Lock()
		defer s.mu.Unlock()
		json.NewEncoder(w).Encode(s.stats)
	case "/_secrets":
		s.mu.Lock()
		defer s.mu.Unlock()
		secrets := make([]string, 0, len(s.secrets))
		for secret := range s.secrets {
			secrets = append(secrets, secret)
		}
		json.NewEncoder(w).Encode(secrets)
	case "/_next":
		s.arm(r.URL.Query())
		json.NewEncoder(w).Encode(true)
	case "/token":
		s.token(w, r)
	case "/userinfo":
		s.count(func(st *stats) { st.Userinfo++ })
		s.provider.ServeHTTP(w, r)
	default:
		if r.URL.Path == "/auth" {
			s.remember(r.URL.Query(), "state", "nonce")
		}
		s.provider.ServeHTTP(w, r)
	}
}

func (s *switches) arm(query url.Values) {
	number := func(name string) int { n, _ := strconv.Atoi(query.Get(name)); return n }
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = fault{
		calls:      number("n"),
		status:     number("status"),
		retryAfter: number("retry_after"),
		delay:      time.Duration(number("delay")) * time.Millisecond,
		cut:        query.Get("cut") != "",
	}
}

// token processes a call unless the fault says otherwise, and then answers as it
// says. A client that left is no reason to stop: no server learns of it in time.
func (s *switches) token(w http.ResponseWriter, r *http.Request) {
	f := s.enter()
	answer := httptest.NewRecorder()
	if f.status != 0 {
		if f.retryAfter != 0 {
			answer.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
		}
		answer.Header().Set("Content-Type", "application/json")
		answer.WriteHeader(f.status)
		answer.WriteString(`{"error":"temporarily_unavailable"}`)
	} else {
		r.ParseForm()
		s.provider.ServeHTTP(answer, r)
		s.note(r.PostForm, answer)
	}
	time.Sleep(f.delay)
	s.count(func(st *stats) { st.InFlight-- })
	if f.cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

func (s *switches) enter() fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Calls++
	s.stats.InFlight++
	s.stats.MaxInFlight = max(s.stats.MaxInFlight, s.stats.InFlight)
	if s.next.calls <= 0 {
		return fault{}
	}
	s.next.calls--
	return s.next
}

func (s *switches) note(asked url.Values, answer *httptest.ResponseRecorder) {
	var told map[string]any
	json.Unmarshal(answer.Body.Bytes(), &told)
	issued := make(url.Values)
	for name, value := range told {
		if text, ok := value.(string); ok && strings.HasSuffix(name, "_token") {
			issued.Set(name, text)
		}
	}
	s.remember(asked, "code", "code_verifier", "refresh_token")
	s.remember(issued, "access_token", "refresh_token", "id_token")
	s.count(func(st *stats) {
		switch asked.Get("grant_type") {
		case "authorization_code":
			st.Logins++
		case "refresh_token":
			st.Refreshes++
			if answer.Code == http.StatusOK {
				st.Refreshed++
			}
		}
	})
}

func (s *switches) remember(from url.Values, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if secret := from.Get(name); secret != "" {
			s.secrets[secret] = true
		}
	}
}

func (s *switches) count(change func(*stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}
