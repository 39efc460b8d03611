package providers_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestLogin is what a sign-in brings.
func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{AccessTokenLifetime: time.Minute, TellRefreshLifetime: true})
		began := time.Now()
		login := r.signIn()
		if login.Provider != "op" || login.Identity.Issuer != "https://op.example" || login.Identity.Subject != "sub-alice" {
			t.Errorf("%+v", login)
		}
		if login.Identity.Claims.String("email") != "alice@example.com" {
			t.Errorf("claims %v", login.Identity.Claims)
		}
		tokens := login.Tokens
		if tokens.AccessToken.IsZero() || tokens.RefreshToken.IsZero() || tokens.IDToken.IsZero() || tokens.Scope == "" {
			t.Errorf("%+v", tokens)
		}
		if tokens.ExpiresIn != time.Minute || tokens.RefreshExpiresIn != 14*24*time.Hour || tokens.RefreshIn != 0 {
			t.Errorf("lifetimes %+v", tokens)
		}
		if tokens.SentAt.Before(began) || tokens.SentAt.After(time.Now()) {
			t.Errorf("sent at %v", tokens.SentAt)
		}
		if !login.AuthTime.Equal(began.Truncate(time.Second)) {
			t.Errorf("auth_time %v", login.AuthTime)
		}
	})
	t.Run("auth_time that was not told proves nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.mutateIDToken(without("auth_time"))
			if login := r.signIn(); !login.AuthTime.Equal(time.Unix(0, 0)) {
				t.Errorf("auth_time %v", login.AuthTime)
			}
		})
	})
}

// TestLifetimeCountsFromTheSending: a slow answer does not lengthen it.
func TestLifetimeCountsFromTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.op.Fail(providertest.Token, providertest.Fault{Times: 1, Delay: 4 * time.Second})
		flow, response := r.respond()
		sent := time.Now()
		login, err := r.Complete(t.Context(), flow, response)
		if err != nil || !login.Tokens.SentAt.Equal(sent) {
			t.Errorf("%v, sent at %v", err, login.Tokens.SentAt)
		}
	})
}

// TestResponseIsRefusedBeforeTheCodeIsSpent: whatever is wrong with the
// response is found before the token endpoint hears of it.
func TestResponseIsRefusedBeforeTheCodeIsSpent(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*providers.Flow, url.Values)
		kind   providers.Kind
		reason string
	}{
		{"LOG2 state of another browser's attempt", func(f *providers.Flow, v url.Values) {
			v.Set("state", providers.NewFlow("op", callback, "/").State())
		}, providers.Invalid, "state is not the one of this attempt"},
		{"LOG3 state missing", func(_ *providers.Flow, v url.Values) { v.Del("state") }, providers.Invalid, "state is not"},
		{"LOG3 state empty", func(_ *providers.Flow, v url.Values) { v.Set("state", "") }, providers.Invalid, "state is not"},
		{"LOG3 state twice", func(_ *providers.Flow, v url.Values) { v.Add("state", v.Get("state")) }, providers.Invalid, "a parameter repeats"},
		{"LOG3 code twice", func(_ *providers.Flow, v url.Values) { v.Add("code", "x") }, providers.Invalid, "a parameter repeats"},
		{"LOG3 code missing", func(_ *providers.Flow, v url.Values) { v.Del("code") }, providers.Invalid, "has no code"},
		{"LOG3 code and error", func(_ *providers.Flow, v url.Values) { v.Set("error", "access_denied") }, providers.Invalid, "both a code and an error"},
		{"LOG11 attempt of 10 min and 1 s", func(f *providers.Flow, _ url.Values) {
			f.CreatedAt = f.CreatedAt.Add(-providers.FlowLifetime - time.Second)
		}, providers.Invalid, "took too long"},
		{"LOG12 error with an unknown state", func(_ *providers.Flow, v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("state", "unknown")
		}, providers.Invalid, "state is not"},
		{"MIX1 attempt of another provider", func(f *providers.Flow, _ url.Values) { f.Provider = "other" }, providers.Invalid, "begun with another provider"},
		{"MIX2 iss of another provider", func(_ *providers.Flow, v url.Values) { v.Set("iss", "https://evil.example") }, providers.Invalid, "iss of the response is not"},
		{"MIX2 iss twice", func(_ *providers.Flow, v url.Values) { v.Add("iss", v.Get("iss")) }, providers.Invalid, "a parameter repeats"},
		{"MIX2 iss empty", func(_ *providers.Flow, v url.Values) { v.Set("iss", "") }, providers.Invalid, "iss of the response is not"},
		{"MIX2 iss of another provider on an error", func(_ *providers.Flow, v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("iss", "https://evil.example")
		}, providers.Invalid, "iss of the response is not"},
		{"MIX3 iss missing though promised", func(_ *providers.Flow, v url.Values) { v.Del("iss") }, providers.Invalid, "lacks iss"},
		{"MIX3 iss missing beside an ID token that nobody asked for", func(_ *providers.Flow, v url.Values) {
			v.Del("iss")
			v.Set("id_token", "a.b.c")
		}, providers.Invalid, "lacks iss"},
		{"MIX3 iss missing on an error", func(_ *providers.Flow, v url.Values) {
			v.Del("code")
			v.Del("iss")
			v.Set("error", "access_denied")
		}, providers.Invalid, "lacks iss"},

		{"the user declines", answer("access_denied"), providers.Denied, `"access_denied"`},
		{"nobody is signed in", answer("login_required"), providers.Denied, `"login_required"`},
		{"consent is missing", answer("consent_required"), providers.Denied, `"consent_required"`},
		{"provider is overloaded", answer("temporarily_unavailable"), providers.Busy, `"temporarily_unavailable"`},
		{"provider has a defect", answer("server_error"), providers.Gateway, `"server_error"`},
		{"provider rejects the client", answer("unauthorized_client"), providers.Misconfigured, `"unauthorized_client"`},
		{"provider rejects the caller's scope", answer("invalid_scope"), providers.Invalid, `"invalid_scope"`},
		{"LEA1 error that is a page", answer("<script>alert(1)</script>"), providers.Invalid, "the provider answered with an error"},
		{"LEA3 error with a line break", answer("a\nb"), providers.Invalid, "the provider answered with an error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			flow, response := r.respond()
			row.change(&flow, response)
			_, err := r.Complete(t.Context(), flow, response)
			e := wantError(t, err, row.kind, row.reason)
			if strings.ContainsAny(e.Error(), "<\n") || strings.Contains(e.Error(), "description") {
				t.Errorf("the response is in the error: %q", e)
			}
			if n := r.op.Stats().Requests[providertest.Token]; n != 0 {
				t.Errorf("%d token requests", n)
			}
		})
	}
}

// answer is an error response.
func answer(code string) func(*providers.Flow, url.Values) {
	return func(_ *providers.Flow, v url.Values) {
		v.Del("code")
		v.Set("error", code)
		v.Set("error_description", "a description")
		v.Set("error_uri", "javascript:alert(1)")
	}
}

// TestMIX2IssuerThatWasNotPromised: a right iss is welcome from everybody.
func TestMIX2IssuerThatWasNotPromised(t *testing.T) {
	for _, told := range []bool{true, false} {
		r := newRig(t, providertest.Config{})
		r.op.Mutate(providertest.Mutations{
			Discovery: func(doc map[string]any) { delete(doc, "authorization_response_iss_parameter_supported") },
			Callback: func(v url.Values) {
				if !told {
					v.Del("iss")
				}
			},
		})
		r.signIn()
	}
}

// TestMIX4IDTokenOfAnotherProvider: same client ID, correctly signed, out of
// the wrong token endpoint.
func TestMIX4IDTokenOfAnotherProvider(t *testing.T) {
	r := newRig(t, providertest.Config{})
	other := newRig(t, providertest.Config{Issuer: "https://other.example"})
	theirs := other.signIn().Tokens.IDToken.Reveal()
	r.mutateIDToken(raw(func(string) string { return theirs }))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "nonce is not")
	was := r.signedIn()
	_, err = r.VerifyRefreshed(t.Context(), providers.NewSecret(theirs), was.Identity)
	wantError(t, err, providers.Mismatch, "iss differs")
}

// signedIn is a sign-in at an honest provider.
func (r *rig) signedIn() *providers.Login {
	r.t.Helper()
	r.op.Mutate(providertest.Mutations{})
	return r.signIn()
}

// TestLOG5NonceOfAnotherLogin: two attempts of one browser, answers swapped by
// the provider.
func TestLOG5NonceOfAnotherLogin(t *testing.T) {
	r := newRig(t, providertest.Config{})
	first := r.signIn()
	r.mutateIDToken(set("nonce", first.Identity.Claims.String("nonce")))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "nonce is not the one of this attempt")
}

// TestLOG7StolenCode: the attacker's own attempt, finished with the victim's code.
func TestLOG7StolenCode(t *testing.T) {
	t.Run("a provider that checks PKCE", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		_, victims := r.respond()
		attackers, response := r.respond()
		response.Set("code", victims.Get("code"))
		_, err := r.Complete(t.Context(), attackers, response)
		wantError(t, err, providers.Revoked, `"invalid_grant"`)
	})
	t.Run("a provider that does not", func(t *testing.T) {
		r := newRig(t, providertest.Config{OptionalPKCE: true})
		lax := &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				_ = req.ParseForm()
				form := maps.Clone(req.PostForm)
				delete(form, "code_verifier")
				forged, _ := http.NewRequestWithContext(req.Context(), http.MethodPost, req.URL.String(), strings.NewReader(form.Encode()))
				forged.Header = req.Header.Clone()
				req = forged
			}
			return r.network.RoundTrip(req)
		})}
		r.OIDC = newOIDC(t, func(c *providers.OIDCConfig) { c.HTTPClient = lax })
		// Both browsers leave without a challenge, so that the code is accepted.
		strip := func(address string) string {
			u := parseURL(t, address)
			q := u.Query()
			q.Del("code_challenge")
			q.Del("code_challenge_method")
			u.RawQuery = q.Encode()
			return u.String()
		}
		_, address := r.begin()
		if _, err := r.browser.SignIn(strip(address), "alice"); err != nil {
			t.Fatal(err)
		}
		victims := r.returned
		attackers, address := r.begin()
		if _, err := r.browser.SignIn(strip(address), "alice"); err != nil {
			t.Fatal(err)
		}
		response := r.returned
		response.Set("code", victims.Get("code"))
		_, err := r.Complete(t.Context(), attackers, response)
		wantError(t, err, providers.Invalid, "nonce is not the one of this attempt")
	})
}

// TestREP1CodeIsSpentOnce: the provider hears the second one too, but Complete
// itself never repeats a call.
func TestREP1CodeIsSpentOnce(t *testing.T) {
	r := newRig(t, providertest.Config{})
	flow, response := r.respond()
	r.op.Fail(providertest.Token, providertest.Fault{Times: 1, Status: 500})
	_, err := r.Complete(t.Context(), flow, response)
	wantError(t, err, providers.Gateway, "status 500")
	if n := r.op.Stats().Requests[providertest.Token]; n != 1 {
		t.Errorf("%d token requests", n)
	}
}

// TestJWT19MaxAge: what was asked for is what has to come.
func TestJWT19MaxAge(t *testing.T) {
	for _, row := range []struct {
		name   string
		maxAge string
		defect func(*providertest.Draft)
		reason string
	}{
		{"auth_time missing", "300", without("auth_time"), "auth_time is missing though max_age was asked for"},
		{"auth_time too old", "300", at("auth_time", -7*time.Minute), "auth_time is older than max_age allows"},
		{"max_age 0 and a sign-in from before", "0", at("auth_time", -2*time.Minute), "auth_time is older than max_age allows"},
		{"auth_time old enough", "300", at("auth_time", -4*time.Minute), ""},
		{"within the leeway", "300", at("auth_time", -5*time.Minute-50*time.Second), ""},
		{"max_age 0, just signed in", "0", nil, ""},
		{"not asked", "", at("auth_time", -24*time.Hour), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				if row.maxAge != "" {
					r.params = url.Values{"max_age": {row.maxAge}}
				}
				r.mutateIDToken(row.defect)
				_, err := r.attempt()
				if row.reason != "" {
					wantError(t, err, providers.Invalid, row.reason)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
	t.Run("five minutes at the provider do not count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{CodeLifetime: time.Hour})
			r.params = url.Values{"max_age": {"0"}}
			flow, response := r.respond()
			time.Sleep(5 * time.Minute)
			if _, err := r.Complete(t.Context(), flow, response); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestJWT11AccessTokenSwappedForAnother: at_hash ties the tokens of one answer.
func TestJWT11AccessTokenSwappedForAnother(t *testing.T) {
	r := newRig(t, providertest.Config{})
	mallorys := r.signIn().Tokens.AccessToken.Reveal()
	r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { a["access_token"] = mallorys }})
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "at_hash is not that of the access token")
}

// TestJWT12AccessTokenAsIDToken: signed by the same key, about the same user.
func TestJWT12AccessTokenAsIDToken(t *testing.T) {
	r := newRig(t, providertest.Config{AccessTokens: providertest.JWT})
	r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { a["id_token"] = a["access_token"] }})
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "typ is not that of an ID token")
}

// TestIDP6TokenAnswersAtLogin: what an answer lacks decides whether the answer
// is defective or nobody knows what happened.
func TestIDP6TokenAnswersAtLogin(t *testing.T) {
	for _, row := range []struct {
		name   string
		mutate func(map[string]any)
		kind   providers.Kind
		reason string
	}{
		{"G17 token_type mac", func(a map[string]any) { a["token_type"] = "mac" }, providers.Invalid, "not a bearer token"},
		{"G17 no token_type", func(a map[string]any) { delete(a, "token_type") }, providers.Invalid, "not a bearer token"},
		{"no access token", func(a map[string]any) { delete(a, "access_token") }, providers.Invalid, "no access token"},
		{"access token null", func(a map[string]any) { a["access_token"] = nil }, providers.Invalid, "no access token"},
		{"access token with a line break", func(a map[string]any) { a["access_token"] = "a\r\nX: b" }, providers.Invalid, "no header can carry"},
		{"no ID token", func(a map[string]any) { delete(a, "id_token") }, providers.Invalid, "no ID token"},
		{"ID token of the wrong type", func(a map[string]any) { a["id_token"] = []string{"x"} }, providers.Invalid, "no ID token"},
		{"200 with an error", func(a map[string]any) { a["error"] = "invalid_grant" }, providers.Revoked, `"invalid_grant"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { row.mutate(a) }})
			_, err := r.attempt()
			wantError(t, err, row.kind, row.reason)
		})
	}
}

// TestIDP6TokenAnswersThatAreNone: nobody knows what became of the code.
func TestIDP6TokenAnswersThatAreNone(t *testing.T) {
	for name, body := range unreadable {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Fail(providertest.Token, providertest.Fault{Process: true, Body: body})
			_, err := r.attempt()
			wantError(t, err, providers.Unknown, "answer is not a token response")
		})
	}
}

// TestLoginWhileTheProviderIsDown: between leaving and coming back.
func TestLoginWhileTheProviderIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{CodeLifetime: time.Hour})
		flow, response := r.respond()
		up := r.network.Down(r.op.Host())
		_, err := r.Complete(t.Context(), flow, response)
		wantError(t, err, providers.NotSent, "dial")
		up()
		if _, err := r.Complete(t.Context(), flow, response); err != nil {
			t.Errorf("the code was not spent, and yet: %v", err)
		}
	})
	t.Run("a process that never discovered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			flow, response := r.respond()
			r.OIDC = newOIDC(t, func(c *providers.OIDCConfig) { c.HTTPClient = &http.Client{Transport: r.network} })
			up := r.network.Down(r.op.Host())
			_, err := r.Complete(t.Context(), flow, response)
			wantError(t, err, providers.Unready, "dial")
			up()
			time.Sleep(time.Second)
			if _, err := r.Complete(t.Context(), flow, response); err != nil {
				t.Error(err)
			}
		})
	})
}
