package providers_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

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
