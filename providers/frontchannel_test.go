package providers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func hybrid(c *providers.OIDCConfig) { c.ResponseType = providers.CodeWithIDToken }

// implicit is an application without a secret.
func implicit(c *providers.OIDCConfig) {
	c.ResponseType, c.ClientSecret = providers.InsecureIDTokenOnly, providers.Secret{}
}

var frontChannel = providertest.Config{FrontChannel: true}

// inFront makes the provider lie in the ID token of the response only.
func inFront(lie func(*providertest.Draft)) func(*providertest.Draft) {
	return func(d *providertest.Draft) {
		if d.GrantType == "" {
			lie(d)
		}
	}
}

// TestHybridSignIn is code id_token by form_post, as contract section 5 has it for
// aad.
func TestHybridSignIn(t *testing.T) {
	r := newRig(t, frontChannel, hybrid)
	_, address := r.begin()
	q := parseURL(t, address).Query()
	if q.Get("response_type") != "code id_token" || q.Get("response_mode") != "form_post" || q.Get("code_challenge") == "" {
		t.Errorf("asks for %v", q)
	}
	login := r.signIn()
	if login.Identity.Subject != "sub-alice" || login.Tokens.AccessToken.IsZero() || login.Tokens.RefreshToken.IsZero() {
		t.Errorf("%+v", login)
	}
	if login.Identity.Claims.Has("c_hash") {
		t.Error("the claims are those of the ID token in front, not of the one behind the code")
	}
}

// TestHybridResponseIsRefusedBeforeTheCodeIsSpent: the ID token beside the code
// vouches for it.
func TestHybridResponseIsRefusedBeforeTheCodeIsSpent(t *testing.T) {
	for _, row := range []struct {
		name   string
		lie    func(*providertest.Draft)
		change func(url.Values)
		reason string
	}{
		{name: "JWT11 c_hash of another code", change: func(v url.Values) { v.Set("code", "code_of_somebody_else") }, reason: "c_hash is not that of the code"},
		{name: "JWT11 no c_hash", lie: without("c_hash"), reason: "c_hash is missing"},
		{name: "LOG5 nonce of another attempt", lie: claim("nonce", plusOne), reason: "nonce is not the one of this attempt"},
		{name: "LOG5 no nonce", lie: without("nonce"), reason: "nonce is not the one of this attempt"},
		{name: "JWT6 another audience", lie: claim("aud", plusOne), reason: "aud is not this client"},
		{name: "JWT7 another issuer", lie: claim("iss", plusOne), reason: "iss is not"},
		{name: "another signature", lie: alterSignature, reason: "signature does not verify"},
		{name: "no ID token", change: func(v url.Values) { v.Del("id_token") }, reason: "the response has no ID token"},
		{name: "MIX3 neither ID token nor iss", change: func(v url.Values) {
			v.Del("id_token")
			v.Del("iss")
		}, reason: "the response lacks iss"},
		{name: "MIX3 no iss, and an ID token of another issuer", lie: claim("iss", plusOne), change: func(v url.Values) { v.Del("iss") }, reason: "iss is not"},
		{name: "MIX2 iss of another provider", change: func(v url.Values) { v.Set("iss", "https://evil.example") }, reason: "iss of the response is not"},
		{name: "LOG3 no code", change: func(v url.Values) { v.Del("code") }, reason: "the response has no code"},
		{name: "LOG3 an ID token and an error", change: func(v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
		}, reason: "both a code and an error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, frontChannel, hybrid)
			if row.lie != nil {
				r.mutateIDToken(inFront(row.lie))
			}
			flow, response := r.respond()
			if row.change != nil {
				row.change(response)
			}
			_, err := r.Complete(t.Context(), flow, response)
			wantError(t, err, providers.Invalid, row.reason)
			if n := r.op.Stats().CodeExchanges; n != 0 {
				t.Errorf("%d token calls", n)
			}
		})
	}
}

// TestMIX3IDTokenSaysWhoseResponseItIs: beside it oidc-provider, for one, leaves
// out the iss that it promises.
func TestMIX3IDTokenSaysWhoseResponseItIs(t *testing.T) {
	for name, change := range map[string]func(*providers.OIDCConfig){"hybrid": hybrid, "implicit": implicit} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, frontChannel, change)
			flow, response := r.respond()
			response.Del("iss")
			if _, err := r.Complete(t.Context(), flow, response); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHybridTokensAreOneUsers is OpenID Connect Core 3.3.3.6.
func TestHybridTokensAreOneUsers(t *testing.T) {
	r := newRig(t, frontChannel, hybrid)
	r.mutateIDToken(inFront(set("sub", "sub-bob")))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "are about two users")
}

// TestHybridGroupsAreThoseBehindTheCode: in front Entra ID leaves groups out that
// it lists behind.
func TestHybridGroupsAreThoseBehindTheCode(t *testing.T) {
	cfg := frontChannel
	cfg.Users = []providertest.User{{Name: "alice", Claims: map[string]any{"groups": []string{"g1"}}}}
	r := newRig(t, cfg, hybrid, func(c *providers.OIDCConfig) { c.Access.AllowedGroups = []string{"g1"} })
	r.mutateIDToken(inFront(both(without("groups"), set("hasgroups", true))))
	r.signIn()
}

// TestSignInWithoutSecret is id_token by form_post: an identity and no tokens.
func TestSignInWithoutSecret(t *testing.T) {
	r := newRig(t, frontChannel, implicit)
	_, address := r.begin()
	q := parseURL(t, address).Query()
	if q.Get("response_type") != "id_token" || q.Get("response_mode") != "form_post" || q.Has("code_challenge") {
		t.Errorf("asks for %v", q)
	}
	login := r.signIn()
	if login.Identity.Subject != "sub-alice" || !login.Tokens.AccessToken.IsZero() || !login.Tokens.RefreshToken.IsZero() ||
		login.Tokens.IDToken.IsZero() || login.Tokens.ExpiresIn != 0 {
		t.Errorf("%+v", login)
	}
	if n := r.op.Stats().Requests[providertest.Token]; n != 0 {
		t.Errorf("%d token calls", n)
	}
	for name, lie := range map[string]func(*providertest.Draft){
		"nonce is not": claim("nonce", plusOne),
		"aud is not":   claim("aud", plusOne),
		"has expired":  at("exp", -time.Second),
	} {
		r.mutateIDToken(lie)
		_, err := r.attempt()
		wantError(t, err, providers.Invalid, name)
	}
}

// TestFrontChannelAnswersMaxAge is JWT19, where nothing else tells.
func TestFrontChannelAnswersMaxAge(t *testing.T) {
	for name, change := range map[string]func(*providers.OIDCConfig){"hybrid": hybrid, "implicit": implicit} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, frontChannel, change)
			r.params = url.Values{"max_age": {"60"}}
			r.mutateIDToken(inFront(at("auth_time", -time.Hour)))
			_, err := r.attempt()
			wantError(t, err, providers.Invalid, "auth_time is older than max_age allows")
		})
	}
}

// TestIDTokenIsNeverInAURL: even where FormPost is not asked for.
func TestIDTokenIsNeverInAURL(t *testing.T) {
	for name, change := range map[string]func(*providers.OIDCConfig){"hybrid": hybrid, "implicit": implicit} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, frontChannel, change)
			flow, address := r.begin()
			if !flow.FormPost || !strings.Contains(address, "response_mode=form_post") {
				t.Errorf("form post %v: %s", flow.FormPost, address)
			}
		})
	}
}
