package respond

import (
	"net/http"
	"strings"
)

// Redirect sends the browser to location: 302 where it asked by GET or HEAD,
// 303 otherwise, so that a form post is never repeated at the target.
//
// Location is written as it was validated. http.Redirect would clean its path,
// and cleaning turns some harmless targets into another host (docs/threats.md G33,
// RED4). Only bytes that cannot stand in a header or that browsers read
// differently (control characters, space, backslash, non-ASCII) are
// percent-encoded.
func Redirect(w http.ResponseWriter, r *http.Request, location string) {
	h := w.Header()
	NoStore(h)
	h.Set("Location", headerURL(location))
	status := http.StatusSeeOther
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusFound
	}
	w.WriteHeader(status)
}

func headerURL(s string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f && c != '\\' }
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}
