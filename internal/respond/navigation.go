package respond

import (
	"net/http"
	"strings"
)

// Navigation reports whether the request is a person's browser opening a page
// at the top level, by GET or HEAD: the only kind of request that may be
// answered with a redirect to a login. Everything else (scripts, images,
// frames, form posts, prefetches, WebSockets, gRPC, the App Service SDKs) cannot
// follow one and gets a status instead (docs/refresh.md E5).
//
// Browsers say what they do in Sec-Fetch-Mode and Sec-Fetch-Dest, and then only
// that counts. Without them a navigation asks for text/html and is not marked
// as XMLHttpRequest.
func Navigation(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && topLevel(r) && !Prefetch(r)
}

// topLevel reports whether a browser will show the answer as a page, whatever
// the method: a submitted form is shown too, though it cannot be redirected.
func topLevel(r *http.Request) bool {
	h := r.Header
	if h.Get("Upgrade") != "" || strings.HasPrefix(h.Get("Content-Type"), "application/grpc") || zumo(h) {
		return false
	}
	mode, dest := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	if mode != "" || dest != "" {
		return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
	}
	if h.Get("X-Requested-With") != "" {
		return false
	}
	for _, accept := range h.Values("Accept") {
		if strings.Contains(strings.ToLower(accept), "text/html") {
			return true
		}
	}
	return false
}

// Prefetch reports whether the browser only guesses that the user will want
// this page. Starting a login for a guess would spend one of the few attempts a
// browser may have open (docs/threats.md DOS2).
func Prefetch(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch"
}

// zumo reports whether an App Service client SDK sent the request. Their calls
// may ask for text/html and still cannot show a page.
func zumo(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Zumo-") || strings.HasPrefix(name, "Zumo-") {
			return true
		}
	}
	return false
}
