package providers_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestUserInfo(t *testing.T) {
	type fault = providertest.Fault
	for _, row := range []struct {
		name   string
		fault  fault
		kind   providers.Kind
		reason string
	}{
		{"JWT10 about another subject", fault{Body: `{"sub":"sub-mallory","email":"m@evil.example"}`}, providers.Mismatch, "sub is not that of the ID token"},
		{"JWT10 no sub", fault{Body: `{"email":"m@evil.example"}`}, providers.Invalid, "sub is missing"},
		{"JWT10 Sub instead of sub", fault{Body: `{"Sub":"sub-alice"}`}, providers.Invalid, "sub is missing"},
		{"JWT16 sub twice", fault{Body: `{"sub":"sub-alice","sub":"sub-mallory"}`}, providers.Invalid, "not a JSON object"},
		{"array as claims", fault{Body: `[{"sub":"sub-alice"}]`}, providers.Invalid, "not a JSON object"},
		{"HTML", fault{Body: `<html>`}, providers.Invalid, "not a JSON object"},
		{"JWT12 signed", fault{Header: http.Header{"Content-Type": {"application/jwt; charset=utf-8"}}, Body: `e30.e30.x`}, providers.Invalid, "signed userinfo is not supported"},
		{"token refused", fault{Status: 401, OAuthError: "invalid_token"}, providers.Misconfigured, `"invalid_token"`},
		{"IDP1 redirect", fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "status 302"},
		{"busy", fault{Status: 429, Header: http.Header{"Retry-After": {"9"}}}, providers.Busy, "status 429"},
		{"down", fault{Down: true}, providers.NotSent, "dial"},
		{"never answers", fault{Delay: time.Minute}, providers.Unknown, "deadline exceeded"},
		{"bad gateway", fault{Status: 502}, providers.Gateway, "status 502"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				login := r.signIn()
				r.op.Fail(providertest.UserInfo, row.fault)
				claims, err := r.UserInfo(t.Context(), login.Tokens.AccessToken, login.Identity.Subject)
				if e := wantError(t, err, row.kind, row.reason); e.Op != "userinfo" || claims.Len() != 0 {
					t.Errorf("%#v, %v", e, claims)
				}
				time.Sleep(time.Minute)
			})
		})
	}
	t.Run("no endpoint", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { delete(doc, "userinfo_endpoint") }})
		claims, err := r.UserInfo(t.Context(), providers.NewSecret("at"), "sub-alice")
		if err != nil || claims.Len() != 0 {
			t.Errorf("%v, %v", claims, err)
		}
	})
	t.Run("provider never discovered", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.network.Down(r.op.Host())
		_, err := r.UserInfo(t.Context(), providers.NewSecret("at"), "sub-alice")
		wantError(t, err, providers.Unready, "dial")
	})
}
