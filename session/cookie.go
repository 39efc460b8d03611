package session

import (
	"net/http"
	"strings"
)

// Names of the session cookie. The __Host- prefix makes the browser refuse a
// cookie of this name from a sibling subdomain or without Secure; a browser
// takes it over https only, so plain http on loopback goes without.
const (
	cookieName         = "__Host-easyauth"
	cookieNameLoopback = "easyauth"
)

// cookieBytes is the length of a cookie value: 32 random bytes in base64url.
const cookieBytes = 43

// maxCookies is how many cookies net/http is willing to parse (CVE-2025-58186);
// a request with more has no session here either.
const maxCookies = 3000

// readCookie returns the value of the only well-formed cookie called name. It
// reads the header itself, because net/http allocates every cookie of the
// request and trims names in ways a browser does not (docs/threats.md G32): two
// readings of one header are two users.
func readCookie(h http.Header, name string) (value string, n int) {
	seen := 0
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if seen++; seen > maxCookies {
				return "", 0
			}
			k, v, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			if ok && k == name {
				value = v
				n++
			}
		}
	}
	return value, n
}

// wellFormed reports whether v can be a cookie value of ours: anything else
// costs no look at the store (docs/threats.md COO6).
func wellFormed(v string) bool {
	if len(v) != cookieBytes {
		return false
	}
	for i := range len(v) {
		c := v[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
