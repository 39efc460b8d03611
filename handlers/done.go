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
	params, ok := query(r)
	target, _, once := h.targets.given(params, loginTarget, loginTargetOld)
	if !ok || !once {
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

// ended is where the programs find the result of a sign-in, in the fragment of
// its address: GET /.auth/login/done (contract 1.3). No server sees the fragment,
// so the page is the same for a sign-in that failed. It runs no script.
func (h *Handler) ended(w http.ResponseWriter, r *http.Request) {
	respond.Show(w, r, http.StatusOK, respond.Page{
		Title: "Sign-in finished",
		Text:  "You can close this window.",
		Links: []respond.Link{{Text: "Return to the website", Href: home}},
	})
}

// receiver is the frame through which old browsers hand the result of a sign-in
// to a page of another origin: GET /.auth/login/iframereceiver (contract 1.6).
func (h *Handler) receiver(w http.ResponseWriter, r *http.Request) {
	params, ok := query(r)
	if !ok || len(params[completionOrigin]) != 1 {
		respond.Fail(w, r, respond.BadRequest, respond.Options{})
		return
	}
	if from := params.Get(completionOrigin); h.tokens && h.targets.trusts(from) {
		respond.Receiver(w, r, from)
		return
	}
	respond.Fail(w, r, respond.WindowRefused, respond.Options{})
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
