package testserver

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes TCP connections on to a server and makes them fail on demand, the
// way networks do. It knows nothing of the protocol inside.
//
// It works until one of its methods says otherwise, and again after
// [Proxy.Heal]. A fault can be switched at any time and takes the place of the
// one before; it applies to connections that are open as well. Proxy is safe for
// concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	working  sync.WaitGroup

	mu     sync.Mutex
	fault  fault
	links  map[*link]struct{}
	closed bool
	opened int // connections so far
	trips  int // round trips so far
}

// NewProxy returns a proxy for the server at target, which ends with the test.
// The server need not be there yet.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testserver: proxy: %v", err)
	}
	p := &Proxy{
		target:   target,
		listener: listener,
		links:    make(map[*link]struct{}),
		fault:    fault{over: make(chan struct{})},
	}
	p.working.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect to, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay holds what clients send back for d, once per round trip, or until the
// fault is switched: the server does not know of the request yet.
func (p *Proxy) Delay(d time.Duration) { p.become(fault{kind: delayRequests, delay: d}) }

// DelayAnswers holds what the server sends back for d, once per round trip, or
// until the fault is switched: the server has done what it was asked.
func (p *Proxy) DelayAnswers(d time.Duration) { p.become(fault{kind: delayAnswers, delay: d}) }

// HalfOpen swallows everything, in both directions, and connects nobody to the
// server: connections open and stay open and nothing comes back. Heal resets
// those that have lost something.
func (p *Proxy) HalfOpen() { p.become(fault{kind: swallow}) }

// LoseAnswers lets requests through and resets the connection in the place of
// the answer: the server has done what it was asked, and nobody knows.
func (p *Proxy) LoseAnswers() { p.become(fault{kind: loseAnswers}) }

// LoseNextAnswer is LoseAnswers for one answer; then the proxy has healed.
func (p *Proxy) LoseNextAnswer() { p.become(fault{kind: loseAnswers, once: true}) }

// Truncate lets the first n bytes of an answer through and resets the connection
// in the place of the next.
func (p *Proxy) Truncate(n int) { p.become(fault{kind: truncate, bytes: n}) }

// Reset resets all connections, and each new one as soon as it is there: a
// server that is down.
func (p *Proxy) Reset() {
	p.become(fault{kind: reset})
	p.Cut()
}

// Cut resets the connections that are open now. It switches no fault.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// Heal lets everything through again. What was held back is passed on.
func (p *Proxy) Heal() { p.become(fault{kind: none}) }

// Connections returns how many connections clients have opened so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened
}

// RoundTrips returns how many times a client has sent something and the server
// has answered, so far. What a client sends before it has the first byte of an
// answer, in one piece or many, is one round trip: the figure means something
// where each connection has one call at a time.
func (p *Proxy) RoundTrips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trips
}

// become switches the fault. Whoever waits because of the old one looks again.
func (p *Proxy) become(f fault) {
	f.over = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.fault.over)
	p.fault = f
	if f.kind == swallow {
		return
	}
	for l := range p.links {
		if l.lossy {
			l.reset()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		l := newLink(p, client.(*net.TCPConn))
		if p.add(l) {
			p.working.Go(l.run)
		}
	}
}

// add notes a new connection, and reports whether it may live.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	if p.closed || p.fault.kind == reset {
		l.reset()
		return false
	}
	l.lossy = p.fault.kind == swallow
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// close ends everything and waits for it.
func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.working.Wait()
}

// fault is what is wrong at the moment.
type fault struct {
	kind  kind
	delay time.Duration
	bytes int
	once  bool
	over  chan struct{} // closed when another fault takes its place
}

type kind int

const (
	none kind = iota
	delayRequests
	delayAnswers
	swallow
	reset
	loseAnswers
	truncate
)
