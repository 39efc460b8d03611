package providers_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestIDP5DribblingAnswerEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		r.op.Fail(providertest.Token, providertest.Fault{Answer: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			for range 100 {
				if _, err := io.WriteString(w, " "); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})})
		begin := time.Now()
		_, err := r.refresh(token)
		wantError(t, err, providers.Unknown, "deadline exceeded")
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestRefreshThatWasNotSent(t *testing.T) {
	t.Run("caller was gone before", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Refresh(ctx, providers.RefreshRequest{RefreshToken: token})
		wantError(t, err, providers.NotSent, "context canceled")
		if !errors.Is(err, context.Canceled) {
			t.Error("the cause is lost")
		}
	})
	t.Run("deadline was over before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			token := r.signIn().Tokens.RefreshToken
			ctx, cancel := context.WithDeadline(t.Context(), time.Now())
			defer cancel()
			_, err := r.Refresh(ctx, providers.RefreshRequest{RefreshToken: token})
			wantError(t, err, providers.NotSent, "deadline exceeded")
		})
	})
	t.Run("docs/refresh.md E6 woken after the deadline by the wall clock", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		calls := r.op.Stats().Requests[providertest.Token]
		_, err := r.Refresh(suspended{t.Context()}, providers.RefreshRequest{RefreshToken: token})
		wantError(t, err, providers.NotSent, "deadline exceeded")
		if r.op.Stats().Requests[providertest.Token] != calls {
			t.Error("it was sent")
		}
	})
	t.Run("discovery never succeeded", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.network.Down(r.op.Host())
		_, err := r.refresh(providers.NewSecret("rt"))
		wantError(t, err, providers.Unready, "dial")
	})
	t.Run("no refresh token", func(t *testing.T) {
		_, err := newRig(t, providertest.Config{}).refresh(providers.Secret{})
		wantError(t, err, providers.NotSent, "no refresh token")
	})
}

type suspended struct{ context.Context }

func TestRealConnections(t *testing.T) {
	// serve is a provider on loopback whose token endpoint does what it likes
	// with the connection.
	serve := func(t *testing.T, token http.HandlerFunc) (*providers.OIDC, *atomic.Int32) {
		var calls atomic.Int32
		mux := http.NewServeMux()
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		op := providertest.New(providertest.Config{Issuer: server.URL, Algorithm: "ES256"})
		mux.Handle("/", op)
		mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { calls.Add(1); token(w, r) })
		p := newOIDC(t, func(c *providers.OIDCConfig) { c.Issuer = server.URL })
		if err := p.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p, &calls
	}
	refresh := func(t *testing.T, p *providers.OIDC) error {
		_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: providers.NewSecret("rt")})
		return err
	}
	hijack := func(f func(net.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				f(c)
			}
		}
	}
	t.Run("refused", func(t *testing.T) {
		p, calls := serve(t, nil)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		_ = p
		gone := newOIDC(t, func(c *providers.OIDCConfig) { c.Issuer = "http://" + l.Addr().String() })
		wantError(t, gone.Ready(t.Context()), providers.Unready, "connection refused")
		if calls.Load() != 0 {
			t.Error("it was sent")
		}
	})
	t.Run("reset", func(t *testing.T) {
		p, calls := serve(t, hijack(func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() }))
		wantError(t, refresh(t, p), providers.Unknown, "no whole answer")
		if calls.Load() != 1 {
			t.Errorf("B11: sent %d times", calls.Load())
		}
	})
	t.Run("closed without an answer", func(t *testing.T) {
		p, calls := serve(t, hijack(func(c net.Conn) { c.Close() }))
		wantError(t, refresh(t, p), providers.Unknown, "no whole answer")
		if calls.Load() != 1 {
			t.Errorf("B11: sent %d times", calls.Load())
		}
	})
	t.Run("no HTTP", func(t *testing.T) {
		p, _ := serve(t, hijack(func(c net.Conn) { _, _ = io.WriteString(c, "secret of the provider\r\n\r\n"); c.Close() }))
		err := refresh(t, p)
		wantError(t, err, providers.Unknown, "no whole answer")
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("G18: %v", err)
		}
	})
	t.Run("headers without end", func(t *testing.T) {
		p, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		})
		wantError(t, refresh(t, p), providers.Unknown, "no whole answer")
	})
	t.Run("docs/refresh.md E6 an answer that came while the process slept over the deadline", func(t *testing.T) {
		for _, late := range []struct {
			by   time.Duration
			kept bool
		}{{0, false}, {2 * time.Second, true}} {
			ctx := &frozen{Context: t.Context(), over: make(chan struct{})}
			p, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				ctx.thaw(late.by)
				select {
				case <-r.Context().Done(): // the call was given up
				case <-time.After(500 * time.Millisecond):
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"access_token":"at","token_type":"Bearer","refresh_token":"rt2"}`)
			})
			tokens, err := p.Refresh(ctx, providers.RefreshRequest{RefreshToken: providers.NewSecret("rt")})
			if !late.kept {
				wantError(t, err, providers.Unknown, "deadline exceeded")
			} else if err != nil || tokens.RefreshToken.Reveal() != "rt2" {
				t.Errorf("late by %v: %v, %v", late.by, tokens, err)
			}
		}
	})
	t.Run("G16 307 to another port", func(t *testing.T) {
		evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			t.Errorf("it was sent on: %v %v", r.Header, r.PostForm)
		}))
		defer evil.Close()
		p, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, evil.URL+"/token", http.StatusTemporaryRedirect)
		})
		wantError(t, refresh(t, p), providers.Misconfigured, "status 307")
	})
	t.Run("IDP11 certificate of nobody", func(t *testing.T) {
		server := httptest.NewUnstartedServer(nil)
		server.Config.ErrorLog = discard
		server.StartTLS()
		defer server.Close()
		p := newOIDC(t, func(c *providers.OIDCConfig) { c.Issuer = server.URL })
		wantError(t, p.Ready(t.Context()), providers.Unready, "certificate")
	})
	t.Run("IDP11 outdated TLS", func(t *testing.T) {
		server := httptest.NewUnstartedServer(nil)
		server.Config.ErrorLog = discard
		server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
		server.StartTLS()
		defer server.Close()
		p := newOIDC(t, func(c *providers.OIDCConfig) { c.Issuer = server.URL })
		wantError(t, p.Ready(t.Context()), providers.Unready, "")
	})
}

// frozen is a context whose deadline passes when the test says so, and is seen
// late, as by a process that was stopped.
type frozen struct {
	context.Context
	over     chan struct{}
	deadline atomic.Pointer[time.Time]
}

func (f *frozen) thaw(late time.Duration) {
	past := time.Now().Add(-late)
	f.deadline.Store(&past)
	close(f.over)
}

func (f *frozen) Deadline() (time.Time, bool) {
	if d := f.deadline.Load(); d != nil {
		return *d, true
	}
	return time.Now().Add(time.Minute), true
}

func (f *frozen) Done() <-chan struct{} { return f.over }

func (f *frozen) Err() error {
	select {
	case <-f.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestNotSentIsTold(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrClosedPipe}
	for _, row := range []struct {
		name string
		err  error
		kind providers.Kind
	}{
		{"dial", &url.Error{Op: "Post", Err: dial}, providers.NotSent},
		{"proxy", &net.OpError{Op: "proxyconnect", Err: dial}, providers.NotSent},
		{"DNS", &net.DNSError{Name: "op.example", IsNotFound: true}, providers.NotSent},
		{"certificate", &tls.CertificateVerificationError{Err: io.ErrNoProgress}, providers.NotSent},
		{"read", &net.OpError{Op: "read", Err: io.ErrClosedPipe}, providers.Unknown},
		{"write", &net.OpError{Op: "write", Err: io.ErrClosedPipe}, providers.Unknown},
		{"EOF", io.EOF, providers.Unknown},
		{"unexpected EOF", io.ErrUnexpectedEOF, providers.Unknown},
		{"anything", io.ErrNoProgress, providers.Unknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			broken := false
			p := newOIDC(t, func(c *providers.OIDCConfig) {
				c.HTTPClient = &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					if broken {
						return nil, row.err
					}
					return r.network.RoundTrip(req)
				})}
			})
			if err := p.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			broken = true
			_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: providers.NewSecret("rt")})
			wantError(t, err, row.kind, "")
		})
	}
	t.Run("a transport of net/http whose dialler fails in its own words", func(t *testing.T) {
		mux := http.NewServeMux()
		server := httptest.NewServer(mux)
		defer server.Close()
		mux.Handle("/", providertest.New(providertest.Config{Issuer: server.URL}))
		broken := false
		p := newOIDC(t, func(c *providers.OIDCConfig) {
			c.Issuer = server.URL
			c.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if broken {
						return nil, io.ErrNoProgress
					}
					return new(net.Dialer).DialContext(ctx, network, address)
				}}}
		})
		if err := p.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		broken = true
		_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: providers.NewSecret("rt")})
		wantError(t, err, providers.NotSent, "no whole answer")
	})
}
