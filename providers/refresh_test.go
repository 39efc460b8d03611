package providers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// unreadable are bodies of a 200 that are no token response.

// TestWhatAFailedRefreshMeans is the table of docs/refresh.md E3.

// TestFinalRefreshErrors: Dex says invalid_request where others say

// invalid_grant; at a sign-in it keeps its meaning.

// TestG18NothingOfTheBodyIsInTheError: the page echoes what it was sent.

// TestRefreshSendsWhatItIsToldAndNothingElse.

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

// TestRefreshThatWasNotSent: what never reached the provider can be tried

// again, whatever the provider thinks of repeated tokens.

// suspended is a context whose deadline has passed while its timer stood still,

// as after a suspended virtual machine wakes up.

func (suspended) Deadline() (time.Time, bool) { return time.Now().Round(0).Add(-time.Second), true }

// TestRealConnections: what a transport of net/http makes of real sockets.

// TestNotSentIsTold: a connection that never came about is told from one that

// broke, for a transport of net/http and for one that knows nothing of traces.
