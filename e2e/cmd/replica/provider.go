package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// provider is who signs people in, as the command line describes it.
type provider struct {
	issuer, id, secret, class string
	window                    time.Duration
	dex                       bool
}

func (p *provider) flags(flags *flag.FlagSet) {
	flags.StringVar(&p.issuer, "issuer", "", "issuer URL")
	flags.StringVar(&p.id, "client-id", "", "client")
	flags.StringVar(&p.secret, "client-secret", "", "its secret, which is one of a test")
	flags.StringVar(&p.class, "class", "strict", "what becomes of a used refresh token: strict, graced or reusable")
	flags.DurationVar(&p.window, "window", 0, "how long a graced one may be replayed")
	flags.BoolVar(&p.dex, "dex", false, "it is a Dex")
}

// open configures the provider, under the name oidc, with the points of a
// refresh that only its transport sees.
func (p *provider) open(points *points) (*providers.OIDC, error) {
	cfg := providers.OIDCConfig{
		Issuer:       p.issuer,
		ClientID:     p.id,
		ClientSecret: providers.NewSecret(p.secret),
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
	}
	if p.dex {
		cfg = providers.Dex(cfg.Issuer, cfg.ClientID, cfg.ClientSecret)
	}
	switch p.class {
	case "strict":
		cfg.Refresh = providers.RefreshPolicy{Class: providers.Strict}
	case "graced":
		cfg.Refresh = providers.RefreshPolicy{Class: providers.Graced, Window: p.window}
	case "reusable":
		cfg.Refresh = providers.RefreshPolicy{Class: providers.Reusable}
	default:
		return nil, fmt.Errorf("no class %q", p.class)
	}
	cfg.Name = "oidc"
	cfg.HTTPClient = &http.Client{Transport: observedTransport(points)}
	return providers.NewOIDC(cfg)
}

// observedTransport is a transport over connections that reach a point once a
// token request has left.
func observedTransport(points *points) http.RoundTripper {
	var dialer net.Dialer
	return &http.Transport{
		IdleConnTimeout: 3 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			return &observedConn{conn, points}, err
		},
	}
}

// observedConn is a connection without TLS, on which a small request is one write.
type observedConn struct {
	net.Conn
	points *points
}

// Write implements net.Conn.
func (c *observedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if bytes.HasPrefix(p, []byte("POST ")) {
		c.points.reach(presented)
	}
	return n, err
}
