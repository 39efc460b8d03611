package main

import (
	"net"
	"net/http"
	"net/url"
)

// oneHost sends a browser that came by another name of this computer
// (localhost for 127.0.0.1) to the application's own name: a cookie belongs to
// one name only, so a sign-in begun under one cannot end under the other.
func oneHost(base string, next http.Handler) http.Handler {
	own, err := url.Parse(base)
	if err != nil || !isLoopback(own.Hostname()) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		if err == nil && host != own.Hostname() && port == own.Port() && isLoopback(host) && r.Method == http.MethodGet {
			to := url.URL{Scheme: own.Scheme, Host: own.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
