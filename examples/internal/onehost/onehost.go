// Package onehost gives an application on this computer one name: the address
// at which it is opened, and the way there from every other name that the
// computer goes by.
package onehost

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// URL is where a browser of this computer reaches what was told to listen on
// addr and does so at at: plain http. A host that stands for every address of
// the computer is reached at 127.0.0.1.
func URL(addr string, at net.Addr) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(at.(*net.TCPAddr).Port))
}

// Loopback reports whether only this computer reaches the host of a URL.
func Loopback(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && loopback(u.Hostname())
}

// Handler sends a browser that came by another name of this computer
// (localhost for 127.0.0.1) to the application's own name, base: a cookie
// belongs to one name only, so a sign-in begun under one cannot end under the
// other. Where base is no name of this computer, next is returned as it is.
func Handler(base string, next http.Handler) http.Handler {
	own, err := url.Parse(base)
	if err != nil || !loopback(own.Hostname()) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		if err == nil && host != own.Hostname() && port == own.Port() && loopback(host) && r.Method == http.MethodGet {
			to := url.URL{Scheme: own.Scheme, Host: own.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
