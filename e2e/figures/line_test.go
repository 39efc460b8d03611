package figures_test

import (
	"net/http"
	"strings"
	"sync"
)

// line is the way of one replica to the provider. It counts the token requests
// that are under way.
type line struct {
	next http.RoundTripper

	mu       sync.Mutex
	inside   int
	most     int
	answered int
	rushed   int // how often more were under way than a start may bring
}

// What a replica may have under way: as many as it begins with and one more for
// every answer, up to the limit.
const (
	rampFrom  = 4
	callLimit = 32
)

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/token") {
		return l.next.RoundTrip(r)
	}
	l.enter()
	defer l.leave()
	return l.next.RoundTrip(r)
}

func (l *line) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside++
	l.most = max(l.most, l.inside)
	if l.inside > rampFrom+l.answered {
		l.rushed++
	}
}

func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside--
	l.answered++
}

// restart forgets the sign-ins.
func (l *line) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most, l.answered, l.rushed = 0, 0, 0
}
