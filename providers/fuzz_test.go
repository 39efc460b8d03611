package providers_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// script is a provider that says what it is told to, path by path.
type script struct {
	answers map[string]string
	status  int // of the token endpoint; 0: 200
	posts   int
}

const honestDiscovery = `{"issuer":"https://op.example","authorization_endpoint":"https://op.example/authorize",
	"token_endpoint":"https://op.example/token","jwks_uri":"https://op.example/jwks",
	"authorization_response_iss_parameter_supported":true}`

// fuzzKey signs in the fuzz targets. It is as secret as this line.
var fuzzKey = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

var honestKey = `{"kty":"OKP","crv":"Ed25519","use":"sig","x":"` + b64(fuzzKey.Public().(ed25519.PublicKey)) + `"}`

func newScript() *script {
	return &script{answers: map[string]string{
		"/.well-known/openid-configuration": honestDiscovery,
		"/jwks":                             `{"keys":[` + honestKey + `]}`,
		"/token":                            `{"error":"invalid_grant"}`,
	}}
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if r.Method == http.MethodPost {
		s.posts++
		if s.status != 0 {
			status = s.status
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(s.answers[r.URL.Path]))}, nil
}

func (s *script) provider(t testing.TB) *providers.OIDC {
	return newOIDC(t, func(c *providers.OIDCConfig) { c.HTTPClient = &http.Client{Transport: s} })
}

func sign(payload []byte) providers.Secret {
	input := b64([]byte(`{"alg":"EdDSA"}`)) + "." + b64(payload)
	return providers.NewSecret(input + "." + b64(ed25519.Sign(fuzzKey, []byte(input))))
}

// plainText is what an error text may consist of.
var plainText = regexp.MustCompile(`^[ -~]{1,300}$`)

// FuzzCallbackQuery: a response reaches the token endpoint only if it has one
// state, the attempt's, one code, the provider's issuer and no error; and
// nothing of it comes back in the error.
func FuzzCallbackQuery(f *testing.F) {
	flow := fixedFlow()
	good := url.Values{"state": {flow.State()}, "code": {"the-code"}, "iss": {"https://op.example"}}.Encode()
	for _, seed := range []string{
		good, good + "&state=x", good + "&error=access_denied", good + "&iss=https://evil.example", "code=x", "", "state=%zz",
		strings.Replace(good, "op.example", "evil.example", 1), strings.Replace(good, "code=", "error=login_required&x=", 1),
		"state=" + flow.State() + "&code=x", "error=%3Cscript%3E&iss=https://op.example&state=" + flow.State(), good + "&STATE=x&session_state=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		response, err := url.ParseQuery(query)
		if err != nil {
			return // the handler refuses it
		}
		op := newScript()
		login, err := op.provider(t).Complete(t.Context(), flow, response)
		if err == nil {
			t.Fatalf("signed in without a token: %+v", login)
		}
		if !plainText.MatchString(err.Error()) {
			t.Errorf("error text %q", err)
		}
		for name, values := range response {
			for _, v := range values {
				if len(v) > 12 && !regexp.MustCompile(`^[a-z_]+$`).MatchString(v) && strings.Contains(err.Error(), v) {
					t.Errorf("%s comes back in %q", name, err)
				}
			}
		}
		one := func(name string) bool { return len(response[name]) == 1 && response[name][0] != "" }
		proper := one("state") && response.Get("state") == flow.State() && one("code") && response.Get("error") == "" &&
			one("iss") && response.Get("iss") == "https://op.example"
		if op.posts > 0 && !proper {
			t.Errorf("the code was spent for %q", query)
		}
		if op.posts > 1 {
			t.Errorf("the code was spent %d times", op.posts)
		}
	})
}

// FuzzIDTokenClaims: a payload is accepted, even correctly signed, only if
// every reader of it, a lenient one included, sees the same user, client,
// issuer and a time that is now.
func FuzzIDTokenClaims(f *testing.F) {
	good := `{"iss":"https://op.example","sub":"alice","aud":"app","exp":4102444800,"iat":1700000000}`
	for _, seed := range []string{
		good, good + "}", strings.Replace(good, `"aud":"app"`, `"aud":["x","app"],"azp":"app"`, 1),
		strings.Replace(good, `"sub"`, `"SUB":"mallory","sub"`, 1), strings.Replace(good, `"sub"`, `"ſub":"mallory","sub"`, 1),
		strings.Replace(good, "4102444800", `"4102444800"`, 1), strings.Replace(good, "4102444800", "1e300", 1),
		strings.Replace(good, "1700000000", "17e8", 1), strings.Replace(good, "{", `{"events":null,`, 1),
		strings.Replace(good, "{", `{"nbf":0,"auth_time":1,"nonce":7,"tid":[],"_claim_names":{"a":"b"},"_claim_sources":{"b":{}},`, 1),
		`{}`, `[]`, `null`, `{"iss":{"iss":"https://op.example"}}`, strings.Repeat(`{"a":`, 100),
	} {
		f.Add([]byte(seed))
	}
	p := newScript().provider(f)
	was := providers.Identity{Issuer: "https://op.example", Subject: "alice"}
	f.Fuzz(func(t *testing.T, payload []byte) {
		identity, err := p.VerifyRefreshed(t.Context(), sign(payload), was)
		if err != nil {
			if !plainText.MatchString(err.Error()) {
				t.Errorf("error text %q", err)
			}
			return
		}
		var lenient struct {
			Iss, Sub string
			Aud      any
			Azp      *string
			Exp, Iat float64
			Events   any
		}
		if err := json.Unmarshal(payload, &lenient); err != nil {
			t.Fatalf("accepted %q: %v", payload, err)
		}
		audience, _ := lenient.Aud.([]any)
		if one, ok := lenient.Aud.(string); ok {
			audience = []any{one}
		}
		now := float64(time.Now().Unix())
		switch {
		case identity.Issuer != "https://op.example" || identity.Subject != "alice",
			lenient.Iss != identity.Issuer || lenient.Sub != identity.Subject,
			!slices.Contains(audience, any(providertest.ClientID)),
			len(audience) > 1 && lenient.Azp == nil,
			lenient.Azp != nil && *lenient.Azp != providertest.ClientID,
			lenient.Exp < now-1 || lenient.Iat > now+61,
			lenient.Events != nil:
			t.Errorf("accepted %q", payload)
		}
	})
}

// FuzzJWKS: whatever a provider publishes, its key signs only if it is there,
// and nobody else's signature is accepted.
func FuzzJWKS(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[` + honestKey + `]}`, `{"keys":[]}`, `{"keys":null}`, `{"keys":{}}`, `[]`, `{"Keys":[` + honestKey + `]}`,
		`{"keys":[` + strings.Replace(honestKey, "sig", "enc", 1) + `]}`, `{"keys":[{"kty":"oct","k":"AAAA"},7,null,` + honestKey + `]}`,
		`{"keys":[` + string(mustJSONOf(secp256k1Key())) + `]}`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","x5c":["AAAA"]}]}`,
	} {
		f.Add([]byte(seed))
	}
	honest := sign([]byte(`{"iss":"https://op.example","sub":"alice","aud":"app","exp":4102444800,"iat":1700000000}`))
	x := b64(fuzzKey.Public().(ed25519.PublicKey))
	was := providers.Identity{Issuer: "https://op.example", Subject: "alice"}
	f.Fuzz(func(t *testing.T, set []byte) {
		op := newScript()
		op.answers["/jwks"] = string(set)
		p := op.provider(t)
		_, err := p.VerifyRefreshed(t.Context(), honest, was)
		// JSON may spell the key with escapes; read it as JSON does.
		var read struct{ Keys []any }
		published := json.Unmarshal(set, &read) == nil && slices.ContainsFunc(read.Keys, func(k any) bool {
			members, _ := k.(map[string]any)
			v, _ := members["x"].(string)
			return strings.TrimRight(v, "=") == x
		})
		if err == nil && !published {
			t.Errorf("verified by a set without the key: %q", set)
		}
		if err != nil && !plainText.MatchString(err.Error()) {
			t.Errorf("error text %q", err)
		}
	})
}

// FuzzDiscovery: a document is used only if it is the configured issuer's, and
// only addresses by https, of a named host, come out of it.
func FuzzDiscovery(f *testing.F) {
	for _, seed := range []string{
		honestDiscovery, strings.Replace(honestDiscovery, "op.example", "op.example/", 1), `{}`, `[]`, `<html>`,
		strings.Replace(honestDiscovery, "https://op.example/authorize", "javascript:alert(1)", 1),
		strings.Replace(honestDiscovery, "https://op.example/token", "http://169.254.169.254/", 1),
		strings.Replace(honestDiscovery, "https://op.example/authorize", `https://op.example/a?state=x&p=1`, 1),
		strings.Replace(honestDiscovery, "https://op.example/jwks", "https://2130706433/", 1),
		strings.Replace(honestDiscovery, "{", `{"token_endpoint_auth_methods_supported":["none"],"end_session_endpoint":"//x",`, 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		op := newScript()
		op.answers["/.well-known/openid-configuration"] = string(doc)
		p := op.provider(t)
		flow := fixedFlow()
		address, err := p.Begin(t.Context(), &flow, nil)
		if err != nil {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Unready && e.Kind != providers.Misconfigured || !plainText.MatchString(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		var lenient struct{ Issuer string }
		if json.Unmarshal(doc, &lenient) != nil || lenient.Issuer != "https://op.example" {
			t.Errorf("used the document of %q", lenient.Issuer)
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			t.Errorf("sends the browser to %q", address)
		}
		if q := u.Query(); !slices.Equal(q["state"], []string{flow.State()}) || !slices.Equal(q["redirect_uri"], []string{callback}) ||
			!slices.Equal(q["response_type"], []string{"code"}) || !slices.Equal(q["code_challenge_method"], []string{"S256"}) {
			t.Errorf("asks %q", address)
		}
		if logout := p.EndSessionURL(t.Context(), providers.EndSessionRequest{}); logout != "" && !strings.HasPrefix(logout, "https://") {
			t.Errorf("logs out at %q", logout)
		}
	})
}

// FuzzTokenResponse: an answer is either tokens with sane lifetimes or an error
// of a known kind; only the parsed code invalid_grant ends a grant, and nothing
// of the body is in the text.
func FuzzTokenResponse(f *testing.F) {
	good := `{"access_token":"at","token_type":"Bearer","expires_in":3600}`
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, good}, {200, good + "x"}, {200, strings.Replace(good, "3600", `"3600.5"`, 1)}, {200, strings.Replace(good, "3600", "1e999", 1)},
		{200, strings.Replace(good, "3600", "-5", 1)}, {200, `{"error":"invalid_grant"}`}, {200, "<html>"}, {204, ""}, {302, ""},
		{400, `{"error":"invalid_grant"}`}, {400, `{"error":"invalid_grant","suberror":"consent_required"}`}, {401, `{"error":"invalid_client"}`},
		{400, `invalid_grant`}, {503, `{"error":"temporarily_unavailable"}`}, {500, `{"error":"invalid_grant"}`}, {429, ""},
	} {
		f.Add(seed.status, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		op := newScript()
		op.status, op.answers["/token"] = status, string(body)
		tokens, err := op.provider(t).Refresh(t.Context(), providers.RefreshRequest{RefreshToken: providers.NewSecret("rt")})
		var lenient struct {
			Error       any
			AccessToken string `json:"access_token"`
		}
		parsed := json.Unmarshal(body, &lenient) == nil
		if err == nil {
			const month = 30 * 24 * time.Hour
			if status > 299 || tokens.AccessToken.IsZero() || !parsed || tokens.AccessToken.Reveal() != lenient.AccessToken ||
				tokens.ExpiresIn < 0 || tokens.ExpiresIn > month || tokens.RefreshIn < 0 || tokens.RefreshIn > month || tokens.RefreshExpiresIn < 0 {
				t.Errorf("%d %q gives %+v", status, body, tokens)
			}
			return
		}
		var e *providers.Error
		if !errors.As(err, &e) || !regexp.MustCompile(`^[a-z_]{0,40}$`).MatchString(e.Code) || !plainText.MatchString(e.Error()) {
			t.Fatalf("error %q", err)
		}
		if e.Kind == providers.Revoked && (!parsed || lenient.Error != "invalid_grant" || status >= 500) {
			t.Errorf("%d %q ends the grant", status, body)
		}
		if e.Kind == providers.NotSent || e.Kind == providers.Unready {
			t.Errorf("%d %q is taken for a call that was not made", status, body)
		}
		if op.posts != 1 {
			t.Errorf("%d presentations", op.posts)
		}
	})
}

// FuzzBearerIsForThisApplication: whatever the provider signs, what is taken is
// for this application, of this provider, about somebody, and good now.
func FuzzBearerIsForThisApplication(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"https://op.example","sub":"s","aud":"app","iat":1,"exp":4102444800}`,
		`{"iss":"https://op.example","sub":"s","aud":["x","app"],"azp":"y","iat":1,"exp":4102444800,"scp":"a b"}`,
		`{"iss":"https://op.example","sub":"s","aud":"api://app","iat":1,"exp":4102444800,"cnf":{}}`,
		`{"iss":"https://evil.example","sub":"","aud":[],"exp":"1"}`,
		`{"aud":"app","AUD":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	p := newScript().provider(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		identity, until, err := p.VerifyBearer(t.Context(), sign(payload))
		if err != nil {
			if identity.Issuer != "" || identity.Subject != "" || identity.Claims.Len() != 0 || !until.IsZero() {
				t.Errorf("refused, and yet %+v until %v", identity, until)
			}
			return
		}
		var c struct {
			Iss, Sub string
			Aud      any
			Exp      float64
			Cnf      json.RawMessage
		}
		if json.Unmarshal(payload, &c) != nil {
			t.Fatalf("took %q", payload)
		}
		audience, _ := json.Marshal(c.Aud)
		if c.Iss != "https://op.example" || c.Sub == "" || identity.Subject != c.Sub || !strings.Contains(string(audience), `"app"`) ||
			!until.After(time.Now()) || c.Cnf != nil {
			t.Errorf("took %q", payload)
		}
	})
}
