package providers_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// newFacebook makes a provider named "op", and the Facebook that it talks to.
func newFacebook(t testing.TB, change ...func(*providers.FacebookConfig)) (*social, *providertest.Facebook, *providers.Facebook) {
	t.Helper()
	op := providertest.NewFacebook(providertest.FacebookConfig{})
	cfg := providers.FacebookConfig{
		Name: "op", AppID: providertest.ClientID, AppSecret: providers.NewSecret(providertest.ClientSecret),
		Dialog: op.URL(), Graph: op.URL(), HTTPClient: op.Client(),
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := providers.NewFacebook(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &social{name: "facebook", Provider: p, Social: op.Social}, op, p
}

// TestFacebookClaims: contract 1.7, in its order, whatever order they come in.
func TestFacebookClaims(t *testing.T) {
	s, _, _ := newFacebook(t, func(c *providers.FacebookConfig) {
		c.Scopes = []string{"public_profile", "email", "user_link", "user_gender"}
		c.Fields = []string{"timezone", "locale", "email", "gender", "last_name", "first_name", "link", "name", "picture"}
	})
	s.SetProfile("alice", `{"id":"10215241773831025","name":"Alice Example","link":"https://www.facebook.com/alice","first_name":"Alice",
		"last_name":"Example","gender":"female","locale":"en_US","timezone":2,"email":"alice@example.com","picture":{"data":{"url":"https://x.example/"}}}`)
	login := s.signIn(t)
	if login.Identity.Subject != "10215241773831025" {
		t.Errorf("subject is %q", login.Identity.Subject)
	}
	wantClaims(t, "facebook", login,
		"…/nameidentifier 10215241773831025",
		"…/name Alice Example",
		"urn:facebook:link https://www.facebook.com/alice",
		"…/givenname Alice",
		"…/surname Example",
		"…/gender female",
		"urn:facebook:locale en_US",
		"urn:facebook:timezone 2",
		"…/emailaddress alice@example.com",
		`urn:facebook:picture {"data":{"url":"https://x.example/"}}`,
	)
}

// TestFacebookClaimsWithoutPermissions are those of public_profile.
func TestFacebookClaimsWithoutPermissions(t *testing.T) {
	s, _, _ := newFacebook(t)
	wantClaims(t, "facebook", s.signIn(t),
		"…/nameidentifier "+s.UserID("alice"), "…/name Alice Example", "…/givenname Alice", "…/surname Example")
}

// TestFacebookFieldThatIsGone costs claims and not the sign-in.
func TestFacebookFieldThatIsGone(t *testing.T) {
	s, _, _ := newFacebook(t, func(c *providers.FacebookConfig) { c.Fields = []string{"name", "first_name", "timezone"} })
	wantClaims(t, "facebook", s.signIn(t),
		"…/nameidentifier "+s.UserID("alice"), "…/name Alice Example", "…/givenname Alice", "…/surname Example")
	if n := s.Stats().Requests[providertest.UserInfo]; n != 2 {
		t.Errorf("the profile was asked for %d times", n)
	}
}

// TestFacebookTokenLivesSixtyDays: contract 5; there is nothing to refresh it with.
func TestFacebookTokenLivesSixtyDays(t *testing.T) {
	s, _, _ := newFacebook(t)
	tokens := s.signIn(t).Tokens
	if tokens.ExpiresIn != 60*24*time.Hour || !tokens.RefreshToken.IsZero() {
		t.Errorf("tokens are %+v", tokens)
	}
	if n := s.Stats().Requests[providertest.TokenExchange]; n != 1 {
		t.Errorf("%d exchanges", n)
	}
}

// TestFacebookExchangeThatFails costs life time and nothing else.
func TestFacebookExchangeThatFails(t *testing.T) {
	for _, fault := range []providertest.Fault{
		{Cut: true}, {Down: true}, {Status: 500}, {Status: 400, Body: `{"error":{"code":190}}`}, {Body: "<html>"}, {Body: `{"token_type":"bearer"}`},
	} {
		s, _, _ := newFacebook(t)
		s.Fail(providertest.TokenExchange, fault)
		if tokens := s.signIn(t).Tokens; tokens.ExpiresIn != 2*time.Hour || tokens.AccessToken.IsZero() {
			t.Errorf("after %+v tokens are %+v", fault, tokens)
		}
	}
}

// TestFacebookClientLogin: contract 1.4.
func TestFacebookClientLogin(t *testing.T) {
	s, op, p := newFacebook(t)
	login, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{
		AccessToken: providers.NewSecret(op.Token("alice")), RefreshToken: providers.NewSecret("nonsense"), IDToken: providers.NewSecret("nonsense"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if login.Provider != "op" || login.Identity.Subject != s.UserID("alice") || login.Identity.Issuer != "https://www.facebook.com" {
		t.Errorf("login is %+v", login)
	}
	if tokens := login.Tokens; !tokens.RefreshToken.IsZero() || !tokens.IDToken.IsZero() {
		t.Errorf("tokens are %+v", tokens)
	}
	if login.Identity.Subject != s.signIn(t).Identity.Subject {
		t.Error("it is somebody else in the browser")
	}
}

// TestFacebookClientTokenIsNotMadeToLast: whoever has found a token of two hours
// gets none of sixty days for it, which takes the app secret.
func TestFacebookClientTokenIsNotMadeToLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, op, p := newFacebook(t)
		token := op.Token("alice")
		time.Sleep(30 * time.Minute)
		login, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{AccessToken: providers.NewSecret(token)})
		if err != nil {
			t.Fatal(err)
		}
		if login.Tokens.ExpiresIn != 90*time.Minute || login.Tokens.AccessToken.Reveal() != token {
			t.Errorf("tokens are %+v", login.Tokens)
		}
		if n := s.Stats().Requests[providertest.TokenExchange]; n != 0 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// TestFacebookClientTokenOfLastWeek says that its user signed in last week.
func TestFacebookClientTokenOfLastWeek(t *testing.T) {
	s, op, p := newFacebook(t)
	issued := time.Now().Add(-7 * 24 * time.Hour).Truncate(time.Second)
	s.Fail(providertest.TokenInspection, providertest.Fault{Edit: func(_ http.Header, body []byte) []byte {
		return []byte(strings.Replace(string(body), `"is_valid"`, fmt.Sprintf(`"issued_at":%d,"is_valid"`, issued.Unix()), 1))
	}})
	login, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{AccessToken: providers.NewSecret(op.Token("alice"))})
	if err != nil || !login.AuthTime.Equal(issued) {
		t.Errorf("signed in at %v, want %v: %v", login.AuthTime, issued, err)
	}
}

// TestFacebookClientTokensThatAreNotOurs: CDL1, CDL2 and CDL4.
func TestFacebookClientTokensThatAreNotOurs(t *testing.T) {
	inspected := func(change func(string) string) providertest.Fault {
		return providertest.Fault{Edit: func(_ http.Header, body []byte) []byte { return []byte(change(string(body))) }}
	}
	replaced := func(old, new string) providertest.Fault {
		return inspected(func(body string) string {
			if !strings.Contains(body, old) {
				panic("no " + old + " in " + body)
			}
			return strings.Replace(body, old, new, 1)
		})
	}
	for _, row := range []struct {
		name   string
		token  func(*providertest.Facebook) string
		fault  providertest.Fault
		kind   providers.Kind
		reason string
	}{
		{"nothing", func(*providertest.Facebook) string { return "" }, providertest.Fault{}, providers.Incomplete, "no access token"},
		{"CDL1 another application's", func(f *providertest.Facebook) string { return f.ForeignToken("alice") }, providertest.Fault{}, providers.Invalid, "Graph API error 100/0"},
		{"CDL2 another application's, which Facebook describes", nil, replaced(`"app_id":"app"`, `"app_id":"another"`), providers.Invalid, "issued to another application"},
		{"CDL2 of which the application is not told", nil, replaced(`"app_id":"app"`, `"application_id":"app"`), providers.Invalid, "issued to another application"},
		{"one that was never issued", func(*providertest.Facebook) string { return "EAAnonsense" }, providertest.Fault{}, providers.Invalid, "issued to another application"},
		{"one that was revoked", func(f *providertest.Facebook) string {
			token := f.Token("alice")
			f.RevokeUser("alice")
			return token
		}, providertest.Fault{}, providers.Invalid, "is not valid"},
		{"is_valid as a text", nil, replaced(`"is_valid":true`, `"is_valid":"true"`), providers.Invalid, "is not valid"},
		{"a page's", nil, replaced(`"type":"USER"`, `"type":"PAGE"`), providers.Invalid, "is not a user's"},
		{"nobody's", nil, replaced(`"user_id":"`, `"user":"`), providers.Invalid, "has no user"},
		{"one that expired", nil, replaced(`"expires_at":`, `"expires_at":1,"was":`), providers.Invalid, "has expired"},
		{"CDL4 another user's", nil, replaced(`"user_id":"`, `"user_id":"9`), providers.Mismatch, "not that of the token's user"},
		{"an answer about nothing", nil, providertest.Fault{Body: `{"data":[]}`}, providers.Invalid, "does not describe a token"},
		{"G6 an answer about two", nil, providertest.Fault{Body: `{"data":{"app_id":"app"},"Data":{}}`}, providers.Invalid, "not a JSON object"},
		{"a page for an answer", nil, providertest.Fault{Body: `<html>`}, providers.Invalid, "not a JSON object"},
		{"CDL5 one of 5 KiB", func(*providertest.Facebook) string { return strings.Repeat("E", 5<<10) }, providertest.Fault{}, providers.Invalid, "malformed"},
		{"one with a line break", func(*providertest.Facebook) string { return "EAA\r\nX-Evil: 1" }, providertest.Fault{}, providers.Invalid, "malformed"},
		{"when Facebook does not know us", nil, providertest.Fault{Status: 400, Body: `{"error":{"code":190,"type":"OAuthException"}}`}, providers.Misconfigured, "190"},
		{"when Facebook is busy", nil, providertest.Fault{Status: 400, Body: `{"error":{"code":4,"type":"OAuthException"}}`}, providers.Busy, "4/0"},
		{"when Facebook is down", nil, providertest.Fault{Down: true}, providers.NotSent, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, op, p := newFacebook(t)
			s.Fail(providertest.TokenInspection, row.fault)
			token := op.Token("alice")
			if row.token != nil {
				token = row.token(op)
			}
			_, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{AccessToken: providers.NewSecret(token)})
			wantError(t, err, row.kind, row.reason)
			s.wantSecretless(t, err)
			if n := s.Stats().Requests[providertest.UserInfo]; n != 0 && row.kind != providers.Mismatch {
				t.Error("the profile was asked for")
			}
		})
	}
}

// TestFacebookErrorsHaveNumbers, which no other OAuth server uses.
func TestFacebookErrorsHaveNumbers(t *testing.T) {
	for _, row := range []struct {
		status, code, subcode int
		kind                  providers.Kind
	}{
		{400, 100, 36007, providers.Revoked}, // the code has expired
		{400, 100, 36009, providers.Revoked}, // the code was used
		{400, 100, 36008, providers.Misconfigured},
		{400, 1, 0, providers.Misconfigured}, // the secret is wrong
		{500, 1, 99, providers.Gateway},
		{400, 2, 0, providers.Busy},
		{403, 4, 0, providers.Busy},
		{400, 17, 0, providers.Busy},
		{400, 190, 460, providers.Revoked},
		{400, 191, 0, providers.Misconfigured},
		{400, 0, 0, providers.Misconfigured},
		{200, 100, 36009, providers.Revoked},
		{200, 0, 0, providers.Unknown},
	} {
		t.Run(fmt.Sprintf("%d %d/%d", row.status, row.code, row.subcode), func(t *testing.T) {
			s, _, _ := newFacebook(t)
			s.Fail(providertest.Token, providertest.Fault{Status: row.status, Body: `{"error":{"message":"alice@example.com","type":"OAuthException","code":` +
				strconv.Itoa(row.code) + `,"error_subcode":` + strconv.Itoa(row.subcode) + `}}`})
			_, err := s.attempt(t)
			wantError(t, err, row.kind, row.kind.String())
			s.wantSecretless(t, err)
			if row.code != 0 && !strings.Contains(err.Error(), fmt.Sprintf("Graph API error %d/%d", row.code, row.subcode)) {
				t.Errorf("error %q does not say which", err)
			}
		})
	}
}

// TestFacebookProfileOfADeadToken is no defect of the configuration.
func TestFacebookProfileOfADeadToken(t *testing.T) {
	s, _, _ := newFacebook(t)
	s.Fail(providertest.UserInfo, providertest.Fault{Status: 400, Body: `{"error":{"code":190,"error_subcode":463}}`})
	_, err := s.attempt(t)
	wantError(t, err, providers.Invalid, "190/463")
}

// TestFacebookErrorWithoutAName: some of the dialog's refusals have a number only.
func TestFacebookErrorWithoutAName(t *testing.T) {
	_, _, p := newFacebook(t)
	flow := providers.NewFlow("op", callback, "/")
	_, err := p.Complete(t.Context(), flow, map[string][]string{"state": {flow.State()}, "error_code": {"1349048"}, "error_message": {"Can't load URL"}})
	wantError(t, err, providers.Invalid, "has no code")
}
