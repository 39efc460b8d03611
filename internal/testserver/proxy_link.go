package testserver

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// link is one connection through a proxy.
type link struct {
	proxy  *Proxy
	client *net.TCPConn
	ended  chan struct{}

	// Guarded by the proxy's lock.
	asked bool // the client has sent something that has no answer yet
	lossy bool // something was swallowed: what follows would make no sense

	mu     sync.Mutex
	server *net.TCPConn // nil: not connected
	over   bool
}

// direction is the way that bytes take.
type direction int

const (
	request direction = iota // from the client to the server
	answer                   // from the server to the client
)

func newLink(p *Proxy, client *net.TCPConn) *link {
	return &link{proxy: p, client: client, ended: make(chan struct{})}
}

// run passes bytes on until either side ends.
func (l *link) run() {
	defer l.proxy.remove(l)
	connected := !l.isLossy()
	if connected && !l.dial() {
		l.reset()
		return
	}
	var pumping sync.WaitGroup
	pumping.Go(func() { l.pump(request, l.client, l.server) })
	if connected {
		pumping.Go(func() { l.pump(answer, l.server, l.client) })
	}
	pumping.Wait()
	l.close()
}

// dial connects to the server, and reports whether the link is alive.
func (l *link) dial() bool {
	conn, err := net.DialTimeout("tcp", l.proxy.target, patience)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		_ = conn.Close()
		return false
	}
	l.server = conn.(*net.TCPConn)
	return true
}

// pump passes bytes on in one direction until one of the sides ends. Without
// anywhere to go they are swallowed.
func (l *link) pump(d direction, from, to *net.TCPConn) {
	buffer := make([]byte, 64<<10)
	passed := 0 // of what this side says before the other speaks again
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			first := l.note(d)
			if first {
				passed = 0
			}
			bytes, alive := l.suffer(d, buffer[:n], first, passed)
			passed += len(bytes)
			if len(bytes) > 0 {
				if _, err := to.Write(bytes); err != nil {
					l.reset()
					return
				}
			}
			if !alive {
				l.reset()
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && to != nil:
			_ = to.CloseWrite() // that side may go on speaking
			return
		default:
			l.reset()
			return
		}
	}
}

// suffer does to bytes what the fault of the moment wants, and returns what is
// left of them; false means that the connection ends here. first means that the
// other side has spoken before.
func (l *link) suffer(d direction, bytes []byte, first bool, passed int) ([]byte, bool) {
	for {
		f := l.fault(d)
		var wait time.Duration
		switch {
		case f.kind == reset:
			return nil, false
		case f.kind == swallow:
			return nil, true
		case f.kind == loseAnswers && d == answer:
			return nil, false
		case f.kind == truncate && d == answer && passed+len(bytes) > f.bytes:
			return bytes[:max(0, f.bytes-passed)], false
		case f.kind == delayRequests && d == request && first, f.kind == delayAnswers && d == answer && first:
			wait = f.delay
		}
		if wait == 0 {
			return bytes, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			return bytes, true
		case <-f.over: // look again
			timer.Stop()
		case <-l.ended:
			timer.Stop()
			return nil, false
		}
	}
}

// note counts round trips, and reports whether the other side spoke last.
func (l *link) note(d direction) bool {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	first := l.asked == (d == answer)
	if d == answer && l.asked {
		p.trips++
	}
	l.asked = d == request
	return first
}

// fault returns what is wrong at the moment, for bytes of this direction. What
// was to happen once is spent by the answer that meets it.
func (l *link) fault(d direction) fault {
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	if f.once && d == answer {
		p.fault = fault{over: f.over}
	}
	if l.lossy || f.kind == swallow {
		l.lossy, f.kind = true, swallow
	}
	return f
}

func (l *link) isLossy() bool {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	return l.lossy
}

// reset ends both connections the hard way.
func (l *link) reset() { l.finish(true) }

func (l *link) close() { l.finish(false) }

func (l *link) finish(hard bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	close(l.ended)
	for _, conn := range []*net.TCPConn{l.client, l.server} {
		if conn == nil {
			continue
		}
		if hard {
			_ = conn.SetLinger(0)
		}
		_ = conn.Close()
	}
}
