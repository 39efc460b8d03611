package middleware_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// Long types of claims, as readers of the headers know them.
const (
	typeName  = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	typeEmail = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
	typeUPN   = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
	typeRole  = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
)

// headersOf are the headers by which the application is told who signed in with
// provider, and what of their tokens.
func headersOf(t *testing.T, provider, claims string, tokens providers.Tokens, options ...func(*middleware.Config, *session.Config)) map[string]string {
	t.Helper()
	a := newApp(t, append(options, withHeaders)...)
	cookie := a.signIn(t, func(l *providers.Login) {
		l.Provider = provider
		if claims != "" {
			c, err := providers.ParseClaims([]byte(claims))
			if err != nil {
				t.Fatal(err)
			}
			l.Identity.Claims = c
		}
		tokens.SentAt = time.Now()
		l.Tokens = tokens
	})
	rec, seen := visit(a.Authenticate, request("GET", "/", cookie))
	if seen == nil {
		t.Fatalf("%s: status %d", provider, rec.Code)
	}
	told := make(map[string]string)
	for name, values := range seen.Header {
		if name := strings.ToUpper(name); strings.HasPrefix(name, "X-MS-") {
			told[name] = strings.Join(values, ", ")
		}
	}
	return told
}

// Contract 2.4: which headers a provider's tokens come in, and that there is no
// header where there is no token.
func TestContract24TokenHeadersOfEachProvider(t *testing.T) {
	secret := providers.NewSecret
	var (
		access = providers.Tokens{AccessToken: secret("access")}
		timed  = providers.Tokens{AccessToken: secret("access"), ExpiresIn: time.Hour}
		full   = providers.Tokens{AccessToken: secret("access"), IDToken: secret("id"), RefreshToken: secret("refresh"), ExpiresIn: time.Hour}
	)
	for _, row := range []struct {
		name, provider string
		tokens         providers.Tokens
		want           []string // after X-MS-TOKEN-
	}{
		{"aad", "aad", full, []string{"AAD-ACCESS-TOKEN", "AAD-EXPIRES-ON", "AAD-ID-TOKEN", "AAD-REFRESH-TOKEN"}},
		{"aad without a client secret", "aad", providers.Tokens{IDToken: secret("id")}, []string{"AAD-ID-TOKEN"}},
		{"google", "google", full, []string{"GOOGLE-ACCESS-TOKEN", "GOOGLE-EXPIRES-ON", "GOOGLE-ID-TOKEN", "GOOGLE-REFRESH-TOKEN"}},
		{"facebook", "facebook", timed, []string{"FACEBOOK-ACCESS-TOKEN", "FACEBOOK-EXPIRES-ON"}},
		{"microsoftaccount", "microsoftaccount", providers.Tokens{AccessToken: secret("access"), AuthenticationToken: secret("jwt"), RefreshToken: secret("refresh"), ExpiresIn: time.Hour},
			[]string{"MICROSOFTACCOUNT-ACCESS-TOKEN", "MICROSOFTACCOUNT-AUTHENTICATION-TOKEN", "MICROSOFTACCOUNT-EXPIRES-ON", "MICROSOFTACCOUNT-REFRESH-TOKEN"}},
		{"twitter", "twitter", providers.Tokens{AccessToken: secret("access"), AccessTokenSecret: secret("secret")},
			[]string{"TWITTER-ACCESS-TOKEN", "TWITTER-ACCESS-TOKEN-SECRET"}},
		{"github", "github", access, []string{"GITHUB-ACCESS-TOKEN"}},
		{"apple", "apple", providers.Tokens{AccessToken: secret("access"), IDToken: secret("id"), ExpiresIn: time.Hour},
			[]string{"APPLE-ACCESS-TOKEN", "APPLE-EXPIRES-ON", "APPLE-ID-TOKEN"}},
		{"custom", "corp_sso", full, []string{"CORP_SSO-ACCESS-TOKEN", "CORP_SSO-EXPIRES-ON", "CORP_SSO-ID-TOKEN", "CORP_SSO-REFRESH-TOKEN"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				for name, value := range headersOf(t, row.provider, "", row.tokens) {
					if kind, ok := strings.CutPrefix(name, "X-MS-TOKEN-"); ok {
						got = append(got, kind)
						if strings.HasSuffix(kind, "-EXPIRES-ON") && value != time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.0000000Z") {
							t.Errorf("%s: %s", name, value)
						}
					}
				}
				if slices.Sort(got); !slices.Equal(got, row.want) {
					t.Errorf("headers %v, want %v", got, row.want)
				}
			})
		})
	}
}

// Contract 2.1, 2.2: the strictest reader there is refuses a user whose two
// headers name different providers, and one with no claim, or with two, of the
// type that is said to be the name's.
func TestContract22EachProviderPassesTheStrictestReader(t *testing.T) {
	for _, row := range []struct{ provider, claims, nameTyp, name, id string }{
		{"aad", `{"sub":"user-1","oid":"object-1","email":"ada@example.org","name":"Ada","preferred_username":"ada@corp.example"}`, typeEmail, "ada@example.org", "object-1"},
		{"google", `{"sub":"user-1","email":"ada@example.org","name":"Ada"}`, typeEmail, "ada@example.org", "user-1"},
		{"facebook", `{"` + typeName + `":"Ada Lovelace"}`, typeName, "Ada Lovelace", "user-1"},
		{"microsoftaccount", `{"sub":"user-1","` + typeName + `":"Ada Lovelace"}`, typeName, "Ada Lovelace", "user-1"},
		{"twitter", `{"` + typeUPN + `":"ada","` + typeName + `":"Ada Lovelace"}`, typeUPN, "ada", "user-1"},
		{"github", `{"` + typeName + `":"ada","urn:github:name":"Ada Lovelace"}`, typeName, "ada", "user-1"},
		{"apple", `{"sub":"user-1","email":"ada@example.org"}`, typeName, "ada@example.org", "user-1"},
		{"corp_sso", `{"sub":"user-1","name":"Ada","groups":["g1","g2"]}`, typeName, "Ada", "user-1"},
	} {
		t.Run(row.provider, func(t *testing.T) {
			told := headersOf(t, row.provider, row.claims, providers.Tokens{})
			text, err := base64.StdEncoding.Strict().DecodeString(told["X-MS-CLIENT-PRINCIPAL"])
			if err != nil {
				t.Fatal(err)
			}
			var p struct {
				AuthTyp string `json:"auth_typ"`
				NameTyp string `json:"name_typ"`
				RoleTyp string `json:"role_typ"`
				Claims  []struct{ Typ, Val string }
			}
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range p.Claims {
				if c.Typ == p.NameTyp {
					names = append(names, c.Val)
				}
			}
			if p.AuthTyp != row.provider || told["X-MS-CLIENT-PRINCIPAL-IDP"] != row.provider {
				t.Errorf("of %s and %s", p.AuthTyp, told["X-MS-CLIENT-PRINCIPAL-IDP"])
			}
			if p.NameTyp != row.nameTyp || !slices.Equal(names, []string{row.name}) || told["X-MS-CLIENT-PRINCIPAL-NAME"] != row.name {
				t.Errorf("called %v by %s, and %q; want %q by %s", names, p.NameTyp, told["X-MS-CLIENT-PRINCIPAL-NAME"], row.name, row.nameTyp)
			}
			if p.RoleTyp != typeRole || told["X-MS-CLIENT-PRINCIPAL-ID"] != row.id {
				t.Errorf("roles by %s, ID %q", p.RoleTyp, told["X-MS-CLIENT-PRINCIPAL-ID"])
			}
		})
	}
}

// Contract 3.3: without the token store the application knows who it is, and has
// none of their tokens.
func TestContract33WithoutATokenStoreThereAreIdentityHeadersOnly(t *testing.T) {
	told := headersOf(t, "google", "", tokens("access", "refresh"), func(_ *middleware.Config, s *session.Config) { s.DiscardTokens = true })
	want := []string{"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-CLIENT-PRINCIPAL-NAME"}
	if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, want) {
		t.Errorf("headers %v, want %v", got, want)
	}
}

// Contract 2.1: gRPC's calls carry their metadata in headers, and the identity
// is among them. What signed the call in is handed on with it.
func TestContract21GRPCCallsCarryTheIdentity(t *testing.T) {
	a := newApp(t, withTokens, withHeaders, gated(middleware.Gate{Unauthenticated: middleware.RedirectToLogin}))
	cookie, token := a.signIn(t), a.token(t)
	for by, r := range map[string]func() (name, value string){
		"cookie":        func() (string, string) { return "Cookie", cookie.Name + "=" + cookie.Value },
		"session token": func() (string, string) { return "X-Zumo-Auth", token },
	} {
		name, value := r()
		call := with(with(request("POST", "/orders.Orders/List"), "Content-Type", "application/grpc"), name, value)
		call.Proto, call.ProtoMajor, call.ProtoMinor = "HTTP/2.0", 2, 0
		_, seen := visit(a.Authenticate, call)
		if seen == nil || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "user-1" || seen.Header.Get(name) != value {
			t.Errorf("by %s: the application sees %v", by, seen)
		}
	}
}
