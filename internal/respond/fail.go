package respond

import (
	"net/http"
	"strconv"
	"time"
)

// Options is everything an answer may say beyond its fixed text.
type Options struct {
	// RetryAfter, where positive, is sent as Retry-After in whole seconds,
	// rounded up.
	RetryAfter time.Duration
	// Reload lets a page load itself again after RetryAfter. It is for requests
	// that may be repeated: never where something was spent.
	Reload bool
	// Challenge is sent as WWW-Authenticate.
	Challenge string
	// Login is where the user can sign in (again): a link on the page, the
	// member login_url of a problem. It comes from the configuration.
	Login string
}

// Fail answers with the reason: as a page where a browser will show it, else as
// application/problem+json.
func Fail(w http.ResponseWriter, r *http.Request, why Reason, o Options) {
	if !topLevel(r) {
		Problem(w, r, why, o)
		return
	}
	o.headers(w.Header())
	p := Page{Title: why.row().title, Text: why.row().text}
	if o.Login != "" {
		p.Links = append(p.Links, Link{Text: "Sign in", Href: o.Login})
	}
	if o.Reload && o.RetryAfter > 0 {
		// The header and not a script: the page's own policy allows none.
		w.Header().Set("Refresh", seconds(o.RetryAfter))
		p.Links = append(p.Links, Link{Text: "Try again now", Href: ""})
	}
	Show(w, r, why.Status(), p)
}

func (o Options) headers(h http.Header) {
	if o.RetryAfter > 0 {
		h.Set("Retry-After", seconds(o.RetryAfter))
	}
	if o.Challenge != "" {
		h.Set("WWW-Authenticate", o.Challenge)
	}
}

// seconds rounds up: a client that waits exactly this long must not be early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
