package handlers

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
)

const (
	// maxParameters is the size of a query or of a body in bytes (R13, LOG14).
	maxParameters = 64 << 10
	// bodyTimeout is how long a client may take to send a body (DOS7).
	bodyTimeout = 10 * time.Second
)

// query returns the parameters of the request's URL. Malformed ones are
// refused, where net/http would drop them silently.
func query(r *http.Request) (url.Values, bool) {
	if len(r.URL.RawQuery) > maxParameters {
		return nil, false
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	return params, err == nil
}

// form returns the parameters of a posted form. ok is false where there is none
// to be had; why says what to answer then.
func form(w http.ResponseWriter, r *http.Request) (params url.Values, why respond.Reason, ok bool) {
	body, why, ok := readBody(w, r, "application/x-www-form-urlencoded")
	if !ok {
		return nil, why, false
	}
	params, err := url.ParseQuery(string(body))
	return params, respond.BadRequest, err == nil
}

// readBody returns the body of a request, which must be of this media type. ok is
// false where there is none to be had; why says what to answer then.
func readBody(w http.ResponseWriter, r *http.Request, mediaType string) (body []byte, why respond.Reason, ok bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaType {
		return nil, respond.UnsupportedMediaType, false
	}
	conn := http.NewResponseController(w) // not every writer has deadlines; the size is bounded anyway
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxParameters))
	_ = conn.SetReadDeadline(time.Time{}) // or the server would take its expiry for a client that went away
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, respond.TooLarge, false
	}
	return body, respond.BadRequest, err == nil
}

// repeats reports whether a parameter is given more than once, which OAuth does
// not allow (RFC 6749 section 3.1): two readers might take different ones (LOG3).
func repeats(params url.Values) bool {
	for _, values := range params {
		if len(values) > 1 {
			return true
		}
	}
	return false
}
