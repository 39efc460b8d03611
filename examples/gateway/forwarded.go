package main

import (
	"maps"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
)

// claims are the headers by which proxies tell an application where a request
// came from and where it was going, and by which some applications let a client
// tell them. Lower case, with "-" for whatever is neither letter nor digit.
var claims = [...]string{"forwarded", "x-forwarded", "x-original-url", "x-rewrite-url", "x-real-ip", "x-client-ip"}

// removeForwarded removes them in every spelling that some application takes for
// one of them: CGI, and what descends from it, writes "-" as "_" (docs/threats.md
// HST5, PTH7).
func removeForwarded(h http.Header) {
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		name = strings.Map(fold, name)
		for _, claim := range claims {
			if name == claim || strings.HasPrefix(name, "x-forwarded-") {
				return true
			}
		}
		return false
	})
}

func fold(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r | 0x20
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		return r
	}
	return '-'
}

// setForwarded tells the application its public address, which is what the
// gateway was told and not what the request says (docs/threats.md HST1), and the
// address of the client: with those of the proxies that are trusted before it.
func (p passOn) setForwarded(r *httputil.ProxyRequest) {
	if p.trusts(r.In.RemoteAddr) {
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	}
	r.SetXForwarded()
	r.Out.Header.Set("X-Forwarded-Host", p.public.Host)
	r.Out.Header.Set("X-Forwarded-Proto", p.public.Scheme)
}

func (p passOn) trusts(remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	for _, proxy := range p.proxies {
		if proxy.Contains(addr) {
			return true
		}
	}
	return false
}
