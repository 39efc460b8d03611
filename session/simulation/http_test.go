package simulation_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// newRequest is a request as a server hands it on.
func newRequest(ctx context.Context, method, path, cookie string) *http.Request {
	r := &http.Request{Method: method, URL: &url.URL{Path: path}, RequestURI: path, Host: "app.example",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
			"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}, "Accept": {"application/json"},
		}}
	if cookie != "" {
		r.Header["Cookie"] = []string{cookieName + "=" + cookie}
	}
	return r.WithContext(ctx)
}

const cookieName = "__Host-easyauth"

// response is what a browser gets.
type response struct {
	header http.Header
	status int
	body   strings.Builder
}

func newResponse() *response { return &response{header: make(http.Header)} }

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *response) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// setCookie returns the value of the session cookie in the answer, "" where that
// takes it away, and whether there is one.
func (r *response) setCookie() (value string, set bool) {
	for _, line := range r.header["Set-Cookie"] {
		if v, ok := strings.CutPrefix(line, cookieName+"="); ok {
			value, _, _ = strings.Cut(v, ";")
			set = true
		}
	}
	return value, set
}
