package providers_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// endless is a body without an end; the reader decides when it has enough.
type endless struct {
	begin io.Reader
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.begin.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

// TestR13AnswersAreBounded: discovery document, key set, token response and
// userinfo of 1 MiB and more are refused, having cost less than 4 MiB.
func TestR13AnswersAreBounded(t *testing.T) {
	for _, row := range []struct {
		path  string
		begin string
		call  func(*providers.OIDC, *providers.Login) error
		kind  providers.Kind
	}{
		{"/.well-known/openid-configuration", `{"issuer":"https://op.example"`, func(p *providers.OIDC, _ *providers.Login) error {
			return p.Ready(t.Context())
		}, providers.Unready},
		{"/jwks", `{"keys":[`, func(p *providers.OIDC, l *providers.Login) error {
			_, err := p.VerifyRefreshed(t.Context(), l.Tokens.IDToken, l.Identity)
			return err
		}, providers.Unready},
		{"/token", `{"access_token":"x"`, func(p *providers.OIDC, l *providers.Login) error {
			_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: l.Tokens.RefreshToken})
			return err
		}, providers.Unknown},
		{"/userinfo", `{"sub":"x"`, func(p *providers.OIDC, l *providers.Login) error {
			_, err := p.UserInfo(t.Context(), l.Tokens.AccessToken, l.Identity.Subject)
			return err
		}, providers.Unknown},
	} {
		t.Run(row.path[1:], func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			login := r.signIn()
			body := &endless{begin: strings.NewReader(row.begin)}
			struck := false
			p := newOIDC(t, func(c *providers.OIDCConfig) {
				c.HTTPClient = &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					if req.URL.Path != row.path {
						return r.network.RoundTrip(req)
					}
					struck = true
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, ContentLength: 64 << 20, Request: req}, nil
				})}
			})
			if row.path != "/.well-known/openid-configuration" {
				if err := p.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := row.call(p, login)
			runtime.ReadMemStats(&after)
			if !struck {
				t.Fatal("the endpoint was never asked")
			}
			wantError(t, err, row.kind, "answer is too large")
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 && !raceEnabled {
				t.Errorf("allocated %d bytes", used)
			}
			if body.read > 2<<20 {
				t.Errorf("read %d bytes", body.read)
			}
		})
	}
}

// TestR13AnswerOfOneMiBIsRead: the bound is a bound, not a habit.
func TestR13AnswerOfOneMiBIsRead(t *testing.T) {
	for size, fits := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		r := newRig(t, providertest.Config{})
		const body = `{"access_token":"at","token_type":"Bearer"}`
		r.op.Fail(providertest.Token, providertest.Fault{Body: body + strings.Repeat(" ", size-len(body))})
		_, err := r.refresh(providers.NewSecret("rt"))
		if fits && err != nil {
			t.Error(err)
		} else if !fits {
			wantError(t, err, providers.Unknown, "answer is too large")
		}
	}
}

// TestR13HeadersAreBounded, where the transport did not do it.
func TestR13HeadersAreBounded(t *testing.T) {
	r := newRig(t, providertest.Config{})
	header := http.Header{}
	for range 10_000 {
		header.Add("X-Header", "value")
	}
	r.op.Fail(providertest.Token, providertest.Fault{Header: header, Body: `{"access_token":"at","token_type":"Bearer"}`})
	_, err := r.refresh(providers.NewSecret("rt"))
	wantError(t, err, providers.Unknown, "answer is too large")
}
