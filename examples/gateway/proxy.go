package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// upstreamDial is how long a connection to the application may take to come about.
const upstreamDial = 5 * time.Second

// passOn passes requests on to the application and its answers back, as they are
// and while they come: uploads, downloads, server-sent events, WebSockets. What
// the application says in redirects and cookies stays as it is said.
type passOn struct {
	upstream *url.URL
	public   *url.URL       // the application as browsers know it
	proxies  []netip.Prefix // in front of the gateway
	log      *slog.Logger
}

func (p passOn) handler() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       p.rewrite,
		FlushInterval: -1, // nothing waits for more to come
		Transport: &http.Transport{ // without a Proxy: the application is asked directly
			DialContext:           (&net.Dialer{Timeout: upstreamDial}).DialContext,
			TLSHandshakeTimeout:   upstreamDial,
			ExpectContinueTimeout: time.Second,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       time.Minute,
			DisableCompression:    true, // what is compressed is between the browser and the application
		},
		ErrorHandler: p.unreachable,
		ErrorLog:     slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
}

// rewrite makes the application's request of the browser's. The headers that say
// who is signed in are in it already: easyauth removed the browser's copies and
// set its own.
func (p passOn) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.upstream)
	r.Out.Host = r.In.Host                 // the application's own name, as on App Service
	r.Out.URL.RawQuery = r.In.URL.RawQuery // as it was sent: nothing here reads it
	r.Out.Trailer = r.In.Trailer           // filled in while the body is read
	stayWithHTTP(r.Out.Header)
	removeForwarded(r.Out.Header)
	p.setForwarded(r)
}

// stayWithHTTP leaves no way out of HTTP/1 but WebSockets. An application that
// takes an offer of h2c would be asked by the client itself from then on, past the
// gateway, and with any X-MS-CLIENT-PRINCIPAL that the client likes.
func stayWithHTTP(h http.Header) {
	h.Del("HTTP2-Settings")
	if !strings.EqualFold(h.Get("Upgrade"), "websocket") {
		h.Del("Connection")
		h.Del("Upgrade")
	}
}

// leaving is a handler whose requests end with ctx, however long they might have
// gone on, and have all the time of the world until then.
func leaving(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		_ = conn.SetReadDeadline(time.Time{})  // an upload takes what it takes,
		_ = conn.SetWriteDeadline(time.Time{}) // and a stream has no end
		rctx, end := context.WithCancel(r.Context())
		defer end()
		defer context.AfterFunc(ctx, end)()
		next.ServeHTTP(w, r.WithContext(rctx))
	})
}
