package main

import (
	"net/http"
	"net/http/httputil"
)

// balancer spreads requests over the replicas that run, as the load balancer in
// front of an application does. A request that no replica has seen yet, because
// the connection was refused, goes to the next one.
func balancer(f *fleet) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = f.turn()
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // the replica died in the middle of it
		},
	}
}
