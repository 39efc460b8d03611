package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// landing is where the browser goes when a sign-in is finished: to the target,
// or with a strict session cookie to a page of ours that leads there. A browser
// withholds such a cookie from every step of a redirect that began at the
// provider, so the target would see a stranger and send him round again.
func (h *Handler) landing(p providers.Provider, target string) string {
	if !h.strict {
		return target
	}
	return h.paths.Prefix() + "/login/" + p.Name() + "/done?" + loginTarget + "=" + url.QueryEscape(target)
}

// done is that page: GET /.auth/login/<provider>/done. It moves on by itself,
// by a header, which needs no script.
func (h *Handler) done(w http.ResponseWriter, r *http.Request, _ providers.Provider) {
	target, _, ok := h.loginParameters(r)
	if !ok {
		respond.Fail(w, r, respond.BadRequest, respond.Options{})
		return
	}
	target = h.targets.orHome(target)
	w.Header().Set("Refresh", "0; url="+escapeNonASCII(target))
	respond.Show(w, r, http.StatusOK, respond.Page{
		Title: "Sign-in complete",
		Text:  "You are being taken to the application.",
		Links: []respond.Link{{Text: "Continue", Href: target}},
	})
}

// escapeNonASCII percent-encodes what a header cannot carry.
func escapeNonASCII(target string) string {
	var b strings.Builder
	for i := range len(target) {
		if c := target[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
