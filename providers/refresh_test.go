package providers_test

import (
	"context"
	"crypto/tls"
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

// unreadable are bodies of a 200 that are no token response.
var unreadable = map[string]string{
	"HTML":            "<html>invalid_grant</html>",
	"empty":           "\n",
	"array":           `[{"access_token":"x"}]`,
	"string":          `"access_token"`,
	"null":            `null`,
	"truncated":       `{"access_token":"x","token_type":"Bea`,
	"repeated member": `{"access_token":"x","token_type":"Bearer","Access_Token":"y"}`,
	"form-encoded":    `access_token=x&token_type=Bearer`,
	"not UTF-8":       "{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"y\":\"\xff\"}",
}

// TestWhatAFailedRefreshMeans is the table of refresh.md E3.
func TestWhatAFailedRefreshMeans(t *testing.T) {
	type fault = providertest.Fault
	after := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	inAnHour := time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
	for _, row := range []struct {
		name   string
		fault  fault
		kind   providers.Kind
		code   string
		status int
		wait   time.Duration
	}{
		{"invalid_grant", fault{OAuthError: "invalid_grant"}, providers.Revoked, "invalid_grant", 400, 0},
		{"invalid_grant with 401", fault{Status: 401, OAuthError: "invalid_grant"}, providers.Revoked, "invalid_grant", 401, 0},
		{"invalid_grant with 200", fault{Status: 200, OAuthError: "invalid_grant"}, providers.Revoked, "invalid_grant", 200, 0},
		{"invalid_grant, Entra wants consent", fault{Status: 400, Body: `{"error":"invalid_grant","suberror":"consent_required"}`}, providers.Interaction, "consent_required", 400, 0},
		{"invalid_grant, Entra wants a second factor", fault{Status: 400, Body: `{"error":"invalid_grant","suberror":"basic_action"}`}, providers.Interaction, "basic_action", 400, 0},
		{"invalid_grant, Entra says bad_token", fault{Status: 400, Body: `{"error":"invalid_grant","suberror":"bad_token"}`}, providers.Revoked, "invalid_grant", 400, 0},
		{"interaction_required", fault{OAuthError: "interaction_required"}, providers.Interaction, "interaction_required", 400, 0},
		{"login_required", fault{OAuthError: "login_required"}, providers.Interaction, "login_required", 400, 0},
		{"consent_required", fault{OAuthError: "consent_required"}, providers.Interaction, "consent_required", 400, 0},
		{"mfa_required with 403", fault{Status: 403, OAuthError: "mfa_required"}, providers.Interaction, "mfa_required", 403, 0},

		{"RAC3 invalid_client", fault{Status: 401, OAuthError: "invalid_client"}, providers.Misconfigured, "invalid_client", 401, 0},
		{"R10 unauthorized_client", fault{OAuthError: "unauthorized_client"}, providers.Misconfigured, "unauthorized_client", 400, 0},
		{"R10 invalid_scope", fault{OAuthError: "invalid_scope"}, providers.Misconfigured, "invalid_scope", 400, 0},
		{"R10 invalid_target", fault{OAuthError: "invalid_target"}, providers.Misconfigured, "invalid_target", 400, 0},
		{"R10 invalid_request", fault{OAuthError: "invalid_request"}, providers.Misconfigured, "invalid_request", 400, 0},
		{"R10 400 without an OAuth error", fault{Status: 400, Body: "bad"}, providers.Misconfigured, "", 400, 0},
		{"R10 404", fault{Status: 404, Body: "{}"}, providers.Misconfigured, "", 404, 0},
		{"RAC3 a page with the words invalid_grant", fault{Status: 400, Body: `<p>"error":"invalid_grant"</p>`}, providers.Misconfigured, "", 400, 0},
		{"RAC3 invalid_grant in the description", fault{Status: 400, Body: `{"error":"invalid_client","error_description":"invalid_grant"}`}, providers.Misconfigured, "invalid_client", 400, 0},
		{"RAC3 invalid_grant among others", fault{Status: 400, Body: `{"error":"x_invalid_grant"}`}, providers.Misconfigured, "x_invalid_grant", 400, 0},
		{"LEA1 a code that is a text", fault{Status: 400, Body: `{"error":"<script>alert(1)</script>"}`}, providers.Misconfigured, "", 400, 0},
		{"G16 IDP4 301", fault{Status: 301, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "", 301, 0},
		{"G16 IDP4 302", fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "", 302, 0},
		{"G16 IDP4 307", fault{Status: 307, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "", 307, 0},
		{"G16 IDP4 308", fault{Status: 308, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "", 308, 0},

		{"IDP7 429", fault{Status: 429}, providers.Busy, "", 429, 0},
		{"IDP7 429 with seconds", fault{Status: 429, Header: after("120")}, providers.Busy, "", 429, 2 * time.Minute},
		{"IDP7 429 with a date", fault{Status: 429, Header: after(inAnHour)}, providers.Busy, "", 429, time.Hour},
		{"IDP7 429 with 10^9 seconds", fault{Status: 429, Header: after("1000000000")}, providers.Busy, "", 429, time.Hour},
		{"IDP7 429 with a number that is none", fault{Status: 429, Header: after("99999999999999999999999")}, providers.Busy, "", 429, time.Hour},
		{"IDP7 429 with a date in the past", fault{Status: 429, Header: after("Mon, 02 Jan 2006 15:04:05 GMT")}, providers.Busy, "", 429, 0},
		{"IDP7 429 with nonsense", fault{Status: 429, Header: after("-5 soon")}, providers.Busy, "", 429, 0},
		{"429 with invalid_grant", fault{Status: 429, OAuthError: "invalid_grant"}, providers.Busy, "invalid_grant", 429, 0},
		{"503 with Retry-After", fault{Status: 503, Header: after("5")}, providers.Busy, "", 503, 5 * time.Second},
		{"503 with Retry-After 0", fault{Status: 503, Header: after("0")}, providers.Busy, "", 503, 0},
		{"503 with an OAuth error", fault{Status: 503, OAuthError: "temporarily_unavailable"}, providers.Busy, "temporarily_unavailable", 503, 0},
		{"400 temporarily_unavailable", fault{OAuthError: "temporarily_unavailable"}, providers.Busy, "temporarily_unavailable", 400, 0},

		{"bare 503", fault{Status: 503, Body: "Service Unavailable"}, providers.Gateway, "", 503, 0},
		{"500", fault{Status: 500, Body: "oops"}, providers.Gateway, "", 500, 0},
		{"500 with an OAuth error", fault{Status: 500, OAuthError: "server_error"}, providers.Gateway, "server_error", 500, 0},
		{"500 with invalid_grant", fault{Status: 500, OAuthError: "invalid_grant"}, providers.Gateway, "invalid_grant", 500, 0},
		{"502", fault{Status: 502}, providers.Gateway, "", 502, 0},
		{"504", fault{Status: 504}, providers.Gateway, "", 504, 0},
		{"400 server_error", fault{OAuthError: "server_error"}, providers.Gateway, "server_error", 400, 0},

		{"204", fault{Status: 204}, providers.Unknown, "", 204, 0},
		{"not sent", fault{Down: true}, providers.NotSent, "", 0, 0},
		{"cut before anything was done", fault{Cut: true}, providers.Unknown, "", 0, 0},
		{"cut after the token was rotated", fault{Process: true, Cut: true}, providers.Unknown, "", 0, 0},
		{"no answer in time", fault{Delay: time.Minute}, providers.Unknown, "", 0, 0},
		{"answer that breaks off", fault{Answer: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"access_token":`)
			panic(http.ErrAbortHandler)
		})}, providers.Unknown, "", 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := func(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }
			if strings.Contains(row.name, "date") {
				run = func(t *testing.T, f func(*testing.T)) { f(t) } // dates of the real clock
			}
			run(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				r.network.Handle("evil.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					t.Error("G16: the redirect was followed")
				}))
				token := r.signIn().Tokens.RefreshToken
				calls := r.op.Stats().Requests[providertest.Token]
				r.op.Fail(providertest.Token, row.fault)
				_, err := r.refresh(token)
				e := wantError(t, err, row.kind, "refresh refused: "+row.kind.String())
				if e.Code != row.code || e.Status != row.status || e.RetryAfter != row.wait || e.Op != "refresh" {
					t.Errorf("%#v", e)
				}
				if n := r.op.Stats().Requests[providertest.Token] - calls; n > 1 {
					t.Errorf("%d presentations of one refresh token", n)
				}
				if row.name == "no answer in time" {
					time.Sleep(time.Minute)
				}
			})
		})
	}
	for name, body := range unreadable {
		t.Run("unreadable 200: "+name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			token := r.signIn().Tokens.RefreshToken
			r.op.Fail(providertest.Token, providertest.Fault{Process: true, Body: body})
			_, err := r.refresh(token)
			wantError(t, err, providers.Unknown, "answer is not a token response")
		})
	}
	t.Run("200 without a bearer token", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { a["token_type"] = "mac" }})
		_, err := r.refresh(token)
		wantError(t, err, providers.Unknown, "not a bearer token")
	})
}

// TestFinalRefreshErrors: Dex says invalid_request where others say
// invalid_grant; at a sign-in it keeps its meaning.
func TestFinalRefreshErrors(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		c.Quirks.FinalRefreshErrors = []string{"invalid_request"}
	})
	token := r.signIn().Tokens.RefreshToken
	r.op.Fail(providertest.Token, providertest.Fault{OAuthError: "invalid_request"})
	_, err := r.refresh(token)
	wantError(t, err, providers.Revoked, `"invalid_request"`)
	_, err = r.attempt()
	wantError(t, err, providers.Misconfigured, `"invalid_request"`)
}

// TestG18NothingOfTheBodyIsInTheError: the page echoes what it was sent.
func TestG18NothingOfTheBodyIsInTheError(t *testing.T) {
	r := newRig(t, providertest.Config{})
	token := r.signIn().Tokens.RefreshToken
	for _, status := range []int{200, 302, 400, 401, 429, 500, 503} {
		heal := r.op.Fail(providertest.Token, providertest.Fault{
			Status: status, Header: http.Header{"Location": {"https://evil.example/?" + token.Reveal()}},
			Body: `{"error":"` + token.Reveal() + `","error_description":"` + providertest.ClientSecret + `","suberror":"` + token.Reveal() + `"}`,
		})
		_, err := r.refresh(token)
		if err == nil || strings.Contains(err.Error(), token.Reveal()) || strings.Contains(err.Error(), providertest.ClientSecret) {
			t.Errorf("status %d: %v", status, err)
		}
		heal()
	}
}

// TestRefreshSendsWhatItIsToldAndNothingElse: refresh.md B35.
func TestRefreshSendsWhatItIsToldAndNothingElse(t *testing.T) {
	for _, row := range []struct {
		name string
		req  providers.RefreshRequest
		want string
	}{
		{"neither", providers.RefreshRequest{}, "grant_type=refresh_token&refresh_token=rt"},
		{"empty scopes", providers.RefreshRequest{Scopes: []string{}}, "grant_type=refresh_token&refresh_token=rt"},
		{"scopes", providers.RefreshRequest{Scopes: []string{"a", "b"}}, "grant_type=refresh_token&refresh_token=rt&scope=a+b"},
		{"resource", providers.RefreshRequest{Resource: "https://api.example"}, "grant_type=refresh_token&refresh_token=rt&resource=https%3A%2F%2Fapi.example"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			var got string
			spy := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					body, _ := io.ReadAll(req.Body)
					got = string(body)
					if req.Header.Get("Accept") != "application/json" || req.Header.Get("Cookie") != "" {
						t.Errorf("headers %v", req.Header)
					}
					return nil, io.EOF
				}
				return r.network.RoundTrip(req)
			})}
			p := newOIDC(t, func(c *providers.OIDCConfig) { c.HTTPClient = spy })
			row.req.RefreshToken = providers.NewSecret("rt")
			_, err := p.Refresh(t.Context(), row.req)
			wantError(t, err, providers.Unknown, "no whole answer")
			if got != row.want {
				t.Errorf("sent %q", got)
			}
		})
	}
}

// TestRefreshForAnotherAudience asks a real provider.
func TestRefreshForAnotherAudience(t *testing.T) {
	r := newRig(t, providertest.Config{Rotation: providertest.Reusable})
	token := r.signIn().Tokens.RefreshToken
	tokens, err := r.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: token, Resource: "https://api.example"})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "https://api.example/", nil)
	req.Header.Set("Authorization", "Bearer "+tokens.AccessToken.Reveal())
	w := httptest.NewRecorder()
	r.op.API("https://api.example").ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		t.Errorf("the API says %d", w.Code)
	}
	tokens, err = r.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: token, Scopes: []string{"openid", "email"}})
	if err != nil || tokens.Scope != "openid email" {
		t.Errorf("scope %q, %v", tokens.Scope, err)
	}
}

// TestB36RefreshTokenMissingInTheAnswer: the old one stays in force, and it is
// not this package that says so.
func TestB36RefreshTokenMissingInTheAnswer(t *testing.T) {
	r := newRig(t, providertest.Config{Rotation: providertest.Reusable})
	tokens, err := r.refresh(r.signIn().Tokens.RefreshToken)
	if err != nil || !tokens.RefreshToken.IsZero() {
		t.Errorf("%v, %v", tokens, err)
	}
}

// TestB28LifetimesAsProvidersSendThem: numbers, strings, floats, nonsense.
func TestB28LifetimesAsProvidersSendThem(t *testing.T) {
	const day = 24 * time.Hour
	for _, row := range []struct {
		name  string
		value string // as JSON; empty: missing
		want  time.Duration
	}{
		{"number", `3600`, time.Hour},
		{"string", `"3600"`, time.Hour},
		{"float", `3600.0`, time.Hour},
		{"string of a float", `"3600.5"`, time.Hour + 500*time.Millisecond},
		{"missing", ``, 0},
		{"null", `null`, 0},
		{"zero", `0`, 0},
		{"IDP6 negative", `-5`, 0},
		{"IDP6 a word", `"x"`, 0},
		{"empty string", `""`, 0},
		{"a list", `[3600]`, 0},
		{"G17 10^18", `1000000000000000000`, 30 * day},
		{"G17 twenty digits", `99999999999999999999`, 30 * day},
		{"beyond a float", `1e999`, 30 * day},
		{"beyond a float, below zero", `-1e999`, 0},
		{"mockoidc's 596523 hours", `2147482800`, 30 * day},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := `{"access_token":"at","token_type":"Bearer","refresh_in":1800,"refresh_token_expires_in":"7776000"`
			if row.value != "" {
				body += `,"expires_in":` + row.value
			}
			r := newRig(t, providertest.Config{})
			r.op.Fail(providertest.Token, providertest.Fault{Body: body + "}"})
			tokens, err := r.refresh(providers.NewSecret("rt"))
			if err != nil {
				t.Fatal(err)
			}
			if tokens.ExpiresIn != row.want || tokens.RefreshIn != 30*time.Minute || tokens.RefreshExpiresIn != 90*day {
				t.Errorf("%v, %v, %v", tokens.ExpiresIn, tokens.RefreshIn, tokens.RefreshExpiresIn)
			}
		})
	}
	t.Run("Keycloak's refresh_expires_in", func(t *testing.T) {
		for value, want := range map[string]time.Duration{"1800": 30 * time.Minute, "0": 0, "1e15": 3650 * day} {
			r := newRig(t, providertest.Config{})
			r.op.Fail(providertest.Token, providertest.Fault{Body: `{"access_token":"at","token_type":"Bearer","refresh_expires_in":` + value + `}`})
			if tokens, err := r.refresh(providers.NewSecret("rt")); err != nil || tokens.RefreshExpiresIn != want {
				t.Errorf("%s: %v, %v", value, tokens, err)
			}
		}
	})
}

// TestRefreshDeadline: the caller's, or ten seconds.
func TestRefreshDeadline(t *testing.T) {
	for _, row := range []struct {
		name  string
		given time.Duration
		want  time.Duration
	}{{"none", 0, 10 * time.Second}, {"shorter", 3 * time.Second, 3 * time.Second}, {"longer", 15 * time.Second, 15 * time.Second}} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				token := r.signIn().Tokens.RefreshToken
				r.op.Fail(providertest.Token, providertest.Fault{Delay: time.Minute})
				ctx := t.Context()
				if row.given > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.given)
					defer cancel()
				}
				begin := time.Now()
				_, err := r.Refresh(ctx, providers.RefreshRequest{RefreshToken: token})
				wantError(t, err, providers.Unknown, "deadline exceeded")
				if took := time.Since(begin); took != row.want {
					t.Errorf("took %v", took)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestIDP5DribblingAnswerEndsInTime: one byte a second.
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

// TestRefreshThatWasNotSent: what never reached the provider can be tried
// again, whatever the provider thinks of repeated tokens.
func TestRefreshThatWasNotSent(t *testing.T) {
	t.Run("caller was gone before", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Refresh(ctx, providers.RefreshRequest{RefreshToken: token})
		wantError(t, err, providers.NotSent, "context canceled")
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
	t.Run("refresh.md E6 woken after the deadline by the wall clock", func(t *testing.T) {
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

// suspended is a context whose deadline has passed while its timer stood still,
// as after a suspended virtual machine wakes up.
type suspended struct{ context.Context }

func (suspended) Deadline() (time.Time, bool) { return time.Now().Round(0).Add(-time.Second), true }

// TestRealConnections: what a transport of net/http makes of real sockets.
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

// TestNotSentIsTold: a connection that never came about is told from one that
// broke, for a transport of net/http and for one that knows nothing of traces.
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
