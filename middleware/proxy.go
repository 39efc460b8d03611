package middleware

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"strings"
)

// ForwardProxy says which proxies tell how browsers reach the application. What
// anybody else says in such headers is ignored, and nothing but the redirects of
// Gate.RequireHTTPS and Gate.CanonicalHost depends on it: addresses are made from
// BaseURL in any case (docs/threats.md HST1, HST3).
type ForwardProxy struct {
	// Trusted are the addresses that the proxies connect from. Required: an empty
	// list, or one that takes in everybody, is refused (docs/threats.md HST4). A
	// peer without an address, on a Unix socket, is none of them.
	Trusted []netip.Prefix

	// HostHeader and ProtoHeader name the headers; empty: X-Forwarded-Host and
	// X-Forwarded-Proto. Of a header with several values the last counts, which is
	// what the proxy next to us has added.
	HostHeader, ProtoHeader string
}

// check reports every mistake.
func (p *ForwardProxy) check() error {
	var errs []error
	if len(p.Trusted) == 0 {
		errs = append(errs, errors.New("middleware: ForwardProxy.Trusted: empty: give the addresses of the proxies, such as 10.0.0.0/8"))
	}
	for _, prefix := range p.Trusted {
		if !prefix.IsValid() || prefix.Bits() == 0 {
			errs = append(errs, fmt.Errorf("middleware: ForwardProxy.Trusted: %s refused: give the addresses of the proxies, not everybody's", prefix))
		}
	}
	return errors.Join(errs...)
}

// trusts reports whether one of the proxies sent the request.
func (p *ForwardProxy) trusts(r *http.Request) bool {
	if p == nil {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	for _, prefix := range p.Trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// secure reports whether the browser's connection is https.
func (p *ForwardProxy) secure(r *http.Request) bool {
	if !p.trusts(r) {
		return r.TLS != nil
	}
	return strings.EqualFold(last(r.Header, cmp.Or(p.ProtoHeader, "X-Forwarded-Proto")), "https")
}

// host is the host that the browser asks for.
func (p *ForwardProxy) host(r *http.Request) string {
	if p.trusts(r) {
		if host := last(r.Header, cmp.Or(p.HostHeader, "X-Forwarded-Host")); host != "" {
			return host
		}
	}
	return r.Host
}

// last is the last value of a header that may be a list.
func last(h http.Header, name string) string {
	values := h[textproto.CanonicalMIMEHeaderKey(name)]
	if len(values) == 0 {
		return ""
	}
	value := values[len(values)-1]
	return strings.TrimSpace(value[strings.LastIndexByte(value, ',')+1:])
}
