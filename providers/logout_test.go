package providers_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestEndSessionURL(t *testing.T) {
	r := newRig(t, providertest.Config{})
	hint := r.signIn().Tokens.IDToken
	const back = "https://app.example/.auth/logout/complete"
	for _, row := range []struct {
		name string
		req  providers.EndSessionRequest
		want map[string]string
	}{
		{"everything", providers.EndSessionRequest{IDTokenHint: hint, PostLogoutRedirectURI: back, State: "s"},
			map[string]string{"client_id": "app", "id_token_hint": hint.Reveal(), "post_logout_redirect_uri": back, "state": "s"}},
		{"nothing", providers.EndSessionRequest{}, map[string]string{"client_id": "app"}},
		{"an ID token too long for a URL", providers.EndSessionRequest{IDTokenHint: providers.NewSecret(strings.Repeat("x", 8000)), PostLogoutRedirectURI: back},
			map[string]string{"client_id": "app", "post_logout_redirect_uri": back}},
	} {
		t.Run(row.name, func(t *testing.T) {
			u := parseURL(t, r.EndSessionURL(t.Context(), row.req))
			q := u.Query()
			if u.Host != "op.example" || len(q) != len(row.want) {
				t.Errorf("%s", u)
			}
			for name, want := range row.want {
				if q.Get(name) != want {
					t.Errorf("%s is %q", name, q.Get(name))
				}
			}
		})
	}
	t.Run("the provider accepts it", func(t *testing.T) {
		page, err := r.browser.Open(r.EndSessionURL(t.Context(), providers.EndSessionRequest{IDTokenHint: hint, PostLogoutRedirectURI: back}))
		if err != nil || page.Status >= 400 {
			t.Errorf("%v, %v", page, err)
		}
	})
	t.Run("no endpoint", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { delete(doc, "end_session_endpoint") }})
		if got := r.EndSessionURL(t.Context(), providers.EndSessionRequest{}); got != "" {
			t.Errorf("%q", got)
		}
	})
	t.Run("provider never discovered", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.network.Down(r.op.Host())
		if got := r.EndSessionURL(t.Context(), providers.EndSessionRequest{}); got != "" {
			t.Errorf("%q", got)
		}
	})
}

func TestRevoke(t *testing.T) {
	t.Run("a revoked refresh token is dead", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		token := r.signIn().Tokens.RefreshToken
		if err := r.Revoke(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		_, err := r.refresh(token)
		wantError(t, err, providers.Revoked, `"invalid_grant"`)
		if err := r.Revoke(t.Context(), token); err != nil {
			t.Errorf("RFC 7009 2.2 a token that is unknown by now: %v", err)
		}
	})
	t.Run("its own way to authenticate", func(t *testing.T) {
		r := newRig(t, onlyAuth("client_secret_post"), func(c *providers.OIDCConfig) { c.AuthStyle = oauth2.AuthStyleAutoDetect })
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
			doc["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic"}
			doc["revocation_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
		}})
		if err := r.Revoke(t.Context(), providers.NewSecret("unknown")); err != nil {
			t.Error(err)
		}
	})
	t.Run("none of ours listed: as at the token endpoint", func(t *testing.T) {
		r := newRig(t, onlyAuth("client_secret_basic"))
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
			doc["revocation_endpoint_auth_methods_supported"] = []string{"private_key_jwt"}
		}})
		if err := r.Revoke(t.Context(), providers.NewSecret("unknown")); err != nil {
			t.Error(err)
		}
	})
	t.Run("failures", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		for _, row := range []struct {
			fault  providertest.Fault
			kind   providers.Kind
			reason string
		}{
			{providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"3"}}}, providers.Busy, "status 503"},
			{providertest.Fault{Status: 401, OAuthError: "invalid_client"}, providers.Misconfigured, `"invalid_client"`},
			{providertest.Fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "status 302"},
			{providertest.Fault{Cut: true}, providers.Unknown, "no whole answer"},
		} {
			heal := r.op.Fail(providertest.Revocation, row.fault)
			if e := wantError(t, r.Revoke(t.Context(), providers.NewSecret("rt")), row.kind, row.reason); e.Op != "revoke" {
				t.Errorf("%#v", e)
			}
			heal()
		}
	})
	t.Run("no endpoint, or nothing to revoke", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		if err := r.Revoke(t.Context(), providers.Secret{}); err != nil {
			t.Error(err)
		}
		r = newRig(t, providertest.Config{})
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { delete(doc, "revocation_endpoint") }})
		if err := r.Revoke(t.Context(), providers.NewSecret("rt")); err != nil {
			t.Error(err)
		}
	})
	t.Run("provider never discovered", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.network.Down(r.op.Host())
		err := r.Revoke(t.Context(), providers.NewSecret("rt"))
		wantError(t, err, providers.Unready, "dial")
		if errors.Unwrap(err) == nil {
			t.Error("no cause")
		}
	})
}
