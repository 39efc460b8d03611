package middleware

import (
	"io"
	"net/http"
	"strings"
)

// strip removes from the request the headers by which an application is told
// who is signed in: only easyauth sets them. It must run before anything else
// looks at the request.
func strip(r *http.Request) *http.Request {
	removeOwn(r.Header)
	removeOwn(r.Trailer)
	if len(r.Header["Connection"]) > 0 {
		keepOwnOnTheWay(r.Header)
	}
	if r.ProtoMajor == 1 && r.ContentLength < 0 {
		// A chunked body may end in a trailer, announced or not, that the server
		// puts into the request when the body has been read.
		from := r
		r = r.WithContext(r.Context())
		r.Body = &bodyWithTrailer{from.Body, from}
	}
	return r
}

// ownNames begin the names of those headers: lower case, with "-" for whatever
// is neither letter nor digit. X-MS-ALLOW-HTTP once told App Service to do
// without https (docs/threats.md HDR10).
var ownNames = [...]string{"x-ms-client-", "x-ms-token-", "x-ms-allow-http"}

// removeOwn deletes the headers of our names in any spelling. Header.Del finds
// the canonical spelling only, but what is behind us may fold "_" and "." into
// "-", as CGI does the other way round (docs/threats.md HDR2, HDR3, G30).
func removeOwn(h http.Header) {
	for name := range h {
		if isOwn(name) {
			delete(h, name)
		}
	}
}

func isOwn(name string) bool {
	if len(name) < len("x-ms-token-") || name[0]|0x20 != 'x' {
		return false
	}
	for _, own := range ownNames {
		if len(name) >= len(own) && folds(name[:len(own)], own) {
			return true
		}
	}
	return false
}

// folds reports whether name reads as own, which is as long.
func folds(name, own string) bool {
	for i := range len(own) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		default:
			c = '-'
		}
		if c != own[i] {
			return false
		}
	}
	return true
}

// keepOwnOnTheWay takes our names out of the Connection header, by which a
// client could make a reverse proxy behind us drop what we set (docs/threats.md
// HDR5, G29).
func keepOwnOnTheWay(h http.Header) {
	var kept []string
	for _, line := range h["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if option = strings.TrimSpace(option); option != "" && !isOwn(option) {
				kept = append(kept, option)
			}
		}
	}
	if len(kept) == 0 {
		delete(h, "Connection")
		return
	}
	h["Connection"] = []string{strings.Join(kept, ", ")}
}

// bodyWithTrailer removes our names from a trailer when it has come in.
type bodyWithTrailer struct {
	io.ReadCloser
	from *http.Request // the one that the server fills
}

func (b *bodyWithTrailer) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		removeOwn(b.from.Trailer)
	}
	return n, err
}
