package providertest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
)

// Network is an [http.RoundTripper] that reaches [http.Handler]s by host name
// instead of sockets. Between the client and each handler there is a real
// net/http transport and a real net/http server on an in-memory pipe, so
// cancellation, cut connections, streaming and header rules are those of
// production, and all of it works inside a testing/synctest bubble.
//
// A https URL needs no certificate: the handler sees a non-nil Request.TLS. A
// host that nobody serves refuses the connection, a [*net.OpError] whose Op
// is "dial", as does one that was taken Down. Each request has a connection of
// its own, and nothing keeps running once its response body is closed.
//
// A Network is safe for concurrent use.
type Network struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
	down  map[string]bool

	transport http.Transport
}

// NewNetwork returns a network of these hosts: "app.example" for the default
// port of the scheme, "app.example:8443" for another one.
func NewNetwork(hosts map[string]http.Handler) *Network {
	n := &Network{hosts: make(map[string]http.Handler), down: make(map[string]bool)}
	for host, h := range hosts {
		n.Handle(host, h)
	}
	n.transport.DisableKeepAlives = true // no connection may outlive its request
	n.transport.DisableCompression = true
	n.transport.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		return n.dial(strings.TrimSuffix(addr, ":80"), nil)
	}
	n.transport.DialTLSContext = func(ctx context.Context, _, addr string) (net.Conn, error) {
		host := strings.TrimSuffix(addr, ":443")
		name, _, _ := net.SplitHostPort(addr)
		return n.dial(host, &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: name})
	}
	return n
}

// Handle serves host with h from now on.
func (n *Network) Handle(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[strings.ToLower(host)] = h
}

// Down makes every connection to host fail, until up is called.
func (n *Network) Down(host string) (up func()) {
	set := func(down bool) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.down[strings.ToLower(host)] = down
	}
	set(true)
	return func() { set(false) }
}

// RoundTrip sends one request to the handler of its host.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	if h, ok := n.handler(hostOf(r.URL)).(dialGuard); ok {
		if err := h.refuseDial(r); err != nil {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, err
		}
	}
	return n.transport.RoundTrip(r)
}

// dialGuard is a handler that knows whether it can be reached by a request.
type dialGuard interface{ refuseDial(*http.Request) error }

func (n *Network) handler(host string) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down[host] {
		return nil
	}
	return n.hosts[host]
}

// dial returns the client's end of a pipe whose other end is served by the
// handler of host. state is that of an https connection, else nil.
func (n *Network) dial(host string, state *tls.ConnectionState) (net.Conn, error) {
	h := n.handler(strings.ToLower(host))
	if h == nil {
		return nil, dialError(host)
	}
	client, server := net.Pipe()
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = state
			h.ServeHTTP(w, r)
		}),
	}
	// Serve starts a goroutine for the one connection and returns at once, for
	// there is no second one.
	srv.Serve(&oneConn{conn: addressed{server}})
	return client, nil
}

// oneConn is a listener that has one connection to give.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	c := l.conn
	l.conn = nil
	return c, nil
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return serverAddr }

// addressed gives a pipe the addresses that handlers expect of a connection.
type addressed struct{ net.Conn }

func (addressed) LocalAddr() net.Addr  { return serverAddr }
func (addressed) RemoteAddr() net.Addr { return clientAddr }

// Addresses of the documentation range (RFC 5737).
var (
	serverAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	clientAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 99), Port: 50000}
)

func dialError(host string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", host, syscall.ECONNREFUSED)}
}

// hostOf returns host, with the port unless it is the scheme's own.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}
