package providers_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (-update writes it): %v\n%s", file, err, got)
	}
}

// TestAuthorizationURLs pins whole authorization requests, one a line.
func TestAuthorizationURLs(t *testing.T) {
	var lines strings.Builder
	for _, row := range []struct {
		name   string
		config func(*providers.OIDCConfig)
		params url.Values
	}{
		{"plain", func(c *providers.OIDCConfig) { c.Scopes = nil }, nil},
		{"scopes without openid", func(c *providers.OIDCConfig) { c.Scopes = []string{"email"} }, nil},
		{"offline access asks for consent", nil, nil},
		{"offline access, provider knows better", func(c *providers.OIDCConfig) { c.Quirks.OfflineWithoutConsent = true }, nil},
		{"offline access, configured prompt", func(c *providers.OIDCConfig) { c.AuthParams = url.Values{"prompt": {"select_account"}} }, nil},
		{"offline access, caller's prompt", nil, url.Values{"prompt": {"none"}}},
		{"offline access, caller wants no prompt", nil, url.Values{"prompt": {""}}},
		{"form post", formPost, nil},
		{"configured parameters", func(c *providers.OIDCConfig) {
			c.AuthParams = url.Values{"domain_hint": {"example.com"}, "resource": {"https://a.example", "https://b.example"}}
		}, nil},
		{"caller overrides configured parameters", func(c *providers.OIDCConfig) {
			c.AuthParams = url.Values{"domain_hint": {"example.com"}, "access_type": {"offline"}}
		}, url.Values{"domain_hint": {"other.example"}, "login_hint": {"alice@example.com"}, "max_age": {"60"}}},
		{"caller's scope", nil, url.Values{"scope": {"email  calendar.read"}}},
		{"caller's empty scope", nil, url.Values{"scope": {""}}},
		{"LOG4 RED13 what the attempt owns", nil, url.Values{
			"response_type": {"token"}, "response_mode": {"fragment"}, "client_id": {"evil"}, "redirect_uri": {"https://evil.example"},
			"state": {"chosen"}, "nonce": {"chosen"}, "code_challenge": {"x"}, "code_challenge_method": {"plain"},
			"request": {"x"}, "request_uri": {"https://evil.example"}, "post_login_redirect_uri": {"/"}, "post_login_redirect_url": {"/"},
			"session_mode": {"token"}, "completion_type": {"postMessage"}, "completion_origin": {"https://evil.example"}, "sso_end_uri": {"x"},
		}},
		{"LOG4 other spellings of them", nil, url.Values{
			"STATE": {"chosen"}, "Redirect_Uri": {"https://evil.example"}, "redirect.uri": {"https://evil.example"},
			"redirect uri": {"https://evil.example"}, "nonce[]": {"chosen"}, "client-id": {"evil"}, "redirect[uri": {"https://evil.example"},
		}},
		{"parameters that look like more parameters", nil, url.Values{"ui_locales": {"de&client_id=evil#x"}}},
	} {
		r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
			if row.config != nil {
				row.config(c)
			}
		})
		flow := fixedFlow()
		address, err := r.Begin(t.Context(), &flow, row.params)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		fmt.Fprintf(&lines, "%s\n\t%s\n", row.name, address)
	}
	golden(t, "authorization_urls.txt", lines.String())
}

// fixedFlow is an attempt whose random part is not.
func fixedFlow() providers.Flow {
	flow := providers.NewFlow("op", callback, "/")
	flow.Seed = []byte("thirty-two bytes, always the same")
	return flow
}

// TestAuthorizationEndpointWithAQuery: its own parameters stay, except those of
// the attempt.
func TestAuthorizationEndpointWithAQuery(t *testing.T) {
	r := newRig(t, providertest.Config{})
	r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
		doc["authorization_endpoint"] = "https://op.example/authorize?p=policy&state=chosen&client_id=evil"
	}})
	flow, address := r.begin()
	q := parseURL(t, address).Query()
	for name, want := range map[string]string{"p": "policy", "state": flow.State(), "client_id": providertest.ClientID} {
		if got := q[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestLOG6PKCEWhateverTheProviderSays reads many authorization requests
// of a provider that claims to know nothing of PKCE.
func TestLOG6PKCEWhateverTheProviderSays(t *testing.T) {
	r := newRig(t, providertest.Config{OptionalPKCE: true})
	r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { delete(doc, "code_challenge_methods_supported") }})
	seen := make(map[string]bool)
	for range 1000 {
		flow, address := r.begin()
		q := parseURL(t, address).Query()
		if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") != oauth2.S256ChallengeFromVerifier(flow.Verifier()) {
			t.Fatalf("no S256 challenge: %s", address)
		}
		if q.Get("response_type") != "code" {
			t.Fatalf("response_type %q", q.Get("response_type"))
		}
		if v := flow.Verifier(); len(v) != 43 || strings.ContainsFunc(v, func(c rune) bool {
			return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c)
		}) {
			t.Fatalf("verifier %q", v)
		}
		for _, secret := range []string{flow.State(), flow.Nonce(), flow.Verifier()} {
			if seen[secret] {
				t.Fatal("a secret repeats")
			}
			seen[secret] = true
		}
	}
	r.op.Mutate(providertest.Mutations{})
	r.signIn()
}

// TestCallersParametersAreRefused: what cannot be passed on is told, not
// dropped.
func TestCallersParametersAreRefused(t *testing.T) {
	r := newRig(t, providertest.Config{})
	for name, row := range map[string]struct {
		params url.Values
		reason string
	}{
		"RFC 6749 3.1 repeated":  {url.Values{"login_hint": {"a", "b"}}, `"login_hint" repeats`},
		"repeated scope":         {url.Values{"scope": {"a", "b"}}, `"scope" repeats`},
		"name with a line break": {url.Values{"x\ny": {"1"}}, "name is malformed"},
		"name of 1 kB":           {url.Values{strings.Repeat("x", 1000): {"1"}}, "name is malformed"},
		"no name":                {url.Values{"": {"1"}}, "name is malformed"},
		"value of 5 kB":          {url.Values{"login_hint": {strings.Repeat("x", 5000)}}, "too long"},
		"many long values":       {url.Values{"a": {strings.Repeat("x", 3000)}, "b": {strings.Repeat("x", 3000)}}, "too long"},
		"max_age of words":       {url.Values{"max_age": {"soon"}}, "max_age is not a number"},
		"max_age below zero":     {url.Values{"max_age": {"-1"}}, "max_age is not a number"},
		"max_age beyond reason":  {url.Values{"max_age": {"99999999999"}}, "max_age is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			flow := providers.NewFlow("op", callback, "/")
			_, err := r.Begin(t.Context(), &flow, row.params)
			if e := wantError(t, err, providers.Invalid, row.reason); e.Op != "begin" {
				t.Errorf("op %q", e.Op)
			}
		})
	}
}

// TestBeginNotesWhatCompleteNeeds: max_age and form_post travel in the flow.
func TestBeginNotesWhatCompleteNeeds(t *testing.T) {
	r := newRig(t, providertest.Config{}, formPost, func(c *providers.OIDCConfig) { c.AuthParams = url.Values{"max_age": {"300"}} })
	flow, _ := r.begin()
	if !flow.FormPost || flow.MaxAge == nil || *flow.MaxAge != 300 {
		t.Errorf("%+v", flow)
	}
	r.params = url.Values{"max_age": {"0"}}
	if flow, _ := r.begin(); flow.MaxAge == nil || *flow.MaxAge != 0 {
		t.Errorf("%+v", flow)
	}
	r.params = url.Values{"max_age": {""}}
	if flow, _ := r.begin(); flow.MaxAge != nil {
		t.Errorf("%+v", flow)
	}
}
