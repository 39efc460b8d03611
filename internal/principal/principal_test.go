package principal_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/principal"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const subject = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

func claims(t testing.TB, object string) providers.Claims {
	t.Helper()
	c, err := providers.ParseClaims([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHeaderHoldsTheBytesOfTheContract(t *testing.T) {
	tests := []struct{ name, provider, claims string }{
		{"aad", "aad", `{"aud":"5f0c","iss":"https://login.microsoftonline.com/9122/v2.0","iat":1623159358,"nbf":1623159358,` +
			`"exp":1623163258,"email":"ada@example.org","name":"Ada Lovelace","oid":"0a1b","preferred_username":"ada@example.org",` +
			`"groups":["g1","g2"],"sub":"AbC","tid":"9122","ver":"2.0"}`},
		{"google", "google", `{"iss":"https://accounts.google.com","aud":"77.apps","sub":"1081","email":"ada@example.org",` +
			`"email_verified":true,"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","locale":"en","iat":1,"exp":2}`},
		{"oidc", "keycloak", `{"iss":"https://id.example","sub":"f:1:ada","name":"Ada Lovelace","amr":["pwd","otp"],` +
			`"address":{ "country": "GB" },"score":1.50,"none":null,"empty":[],"nested":[["x"],{"y":1}],"roles":["reader","writer"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := principal.New(principal.User{Provider: tt.provider, ID: "id", Name: "Ada Lovelace", Claims: claims(t, tt.claims)})
			header, err := p.Header()
			if err != nil {
				t.Fatal(err)
			}
			text, err := base64.StdEncoding.DecodeString(header)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", tt.name+".golden")
			text = append(text, '\n')
			if *update {
				if err := os.WriteFile(file, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != string(want) {
				t.Errorf("%s differs from:\n%s", file, text)
			}
		})
	}
}

func TestEveryMappedClaimHasItsLongType(t *testing.T) {
	const (
		soap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
		ms   = "http://schemas.microsoft.com/identity/claims/"
	)
	want := map[string]string{
		"email": soap + "emailaddress", "sub": soap + "nameidentifier", "given_name": soap + "givenname",
		"family_name": soap + "surname", "unique_name": soap + "name", "upn": soap + "upn", "gender": soap + "gender",
		"website": soap + "webpage", "oid": ms + "objectidentifier", "tid": ms + "tenantid", "idp": ms + "identityprovider",
		"amr": "http://schemas.microsoft.com/claims/authnmethodsreferences", "scp": ms + "scope",
	}
	for _, name := range strings.Fields("aud iss iat nbf exp nonce ver name preferred_username ipaddr azp at_hash c_hash email_verified locale picture groups roles aio rh uti") {
		want[name] = name
	}
	for name, typ := range want {
		p := principal.New(principal.User{Provider: "p", ID: "id", Claims: claims(t, `{"`+name+`":"v"}`)})
		if got := p.Claims[0]; got != (principal.Claim{Typ: typ, Val: "v"}) {
			t.Errorf("%s becomes %+v, want type %s", name, got, typ)
		}
	}
}

// TestContract22NameClaimOfACustomProvider is nameClaimType.
func TestContract22NameClaimOfACustomProvider(t *testing.T) {
	const soap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	for _, row := range []struct{ configured, typ, name string }{
		{"", soap + "name", "Ada Lovelace"},
		{"preferred_username", "preferred_username", "ada"},
		{"email", soap + "emailaddress", "ada@example.org"},
		{soap + "emailaddress", soap + "emailaddress", "ada@example.org"},
		{"name", "name", "Ada"},
		{"nickname", "nickname", "Ada Lovelace"}, // there is none: the user's name stands for it
	} {
		p := principal.New(principal.User{Provider: "oidc", ID: "id", Name: "Ada Lovelace", NameClaim: row.configured,
			Claims: claims(t, `{"sub":"1","name":"Ada","preferred_username":"ada","email":"ada@example.org"}`)})
		if p.NameTyp != row.typ || p.Name() != row.name {
			t.Errorf("%q: %s is %q, want %s, %q", row.configured, p.NameTyp, p.Name(), row.typ, row.name)
		}
	}
}

// Readers take the single claim of type name_typ and fail on none and on two.
func TestThereIsExactlyOneClaimOfTheNameType(t *testing.T) {
	tests := []struct{ name, provider, claims, want string }{
		{"none: the user's name is added", "oidc", `{"sub":"1","name":"Ada"}`, "Ada Lovelace"},
		{"one: it stays", "oidc", `{"sub":"1","unique_name":"ada"}`, "ada"},
		{"two: the first stays", "oidc", `{"unique_name":["ada","eve"]}`, "ada"},
		{"an empty one: the next stays", "oidc", `{"unique_name":["","ada"]}`, "ada"},
		{"aad with an address", "aad", `{"email":"ada@example.org","unique_name":"ada"}`, "ada@example.org"},
		{"aad with two addresses", "aad", `{"email":["ada@example.org","eve@example.org"]}`, "ada@example.org"},
		{"aad without an address", "aad", `{"sub":"1"}`, "Ada Lovelace"},
		{"aad without an address, version 1.0", "aad", `{"unique_name":"ada@example.org","upn":"a@example.org","name":"Ada"}`, "ada@example.org"},
		{"aad without an address, version 2.0", "aad", `{"preferred_username":"ada@example.org","name":"Ada"}`, "ada@example.org"},
		{"aad with a user principal name", "aad", `{"upn":"ada@example.org","preferred_username":"+44"}`, "ada@example.org"},
		{"twitter with a screen name", "twitter", `{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ada","name":"Ada"}`, "ada"},
		{"a type that is long already", "facebook", `{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name":"Ada L"}`, "Ada L"},
		{"aad with an empty address", "aad", `{"email":""}`, "Ada Lovelace"},
		{"an address is not the name elsewhere", "oidc", `{"email":"ada@example.org"}`, "Ada Lovelace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := principal.New(principal.User{Provider: tt.provider, ID: "id", Name: "Ada Lovelace", Claims: claims(t, tt.claims)})
			var vals []string
			for _, c := range p.Claims {
				if c.Typ == p.NameTyp {
					vals = append(vals, c.Val)
				}
			}
			if len(vals) != 1 || vals[0] != tt.want || p.Name() != tt.want {
				t.Errorf("claims of type %s: %q, Name %q; want %q alone", p.NameTyp, vals, p.Name(), tt.want)
			}
		})
	}
	if p := principal.New(principal.User{Provider: "oidc", ID: "subject"}); p.Name() != "subject" {
		t.Errorf("a user without any name is called %q, want the subject", p.Name())
	}
}

// JWT17: an object id identifies a user of aad only. At another provider it may
// be a claim that users fill in themselves.
func TestJWT17ObjectIDIdentifiesAtAADOnly(t *testing.T) {
	tests := []struct{ provider, claims, want string }{
		{"aad", `{"sub":"s","oid":"o"}`, "o"},
		{"aad", `{"sub":"s"}`, "s"},
		{"aad", `{"sub":"s","oid":"` + strings.Repeat("o", 256) + `"}`, "s"},
		{"oidc", `{"sub":"s","oid":"victim"}`, "s"},
		{"oidc", `{"` + subject + `":"victim","sub":"s"}`, "s"},
	}
	for _, tt := range tests {
		p := principal.New(principal.User{Provider: tt.provider, ID: "s", Claims: claims(t, tt.claims)})
		if p.ID() != tt.want {
			t.Errorf("%s %s: ID %q, want %q", tt.provider, tt.claims, p.ID(), tt.want)
		}
	}
}

func TestHDR8NameAndIDAreEncodedForAHeader(t *testing.T) {
	tests := []struct{ name, want string }{
		{"ada@example.org", "ada@example.org"},
		{"Ada Lovelace", "Ada Lovelace"},
		{"Zoë", "Zo%C3%AB"},
		{"100% Ada", "100%25 Ada"},
		{"a\r\nX-Admin: 1\x00", "a%0D%0AX-Admin: 1%00"},
	}
	for _, tt := range tests {
		text, _ := json.Marshal(tt.name)
		p := principal.New(principal.User{Provider: "p", ID: tt.name, Claims: claims(t, fmt.Sprintf(`{"unique_name":%s}`, text))})
		if p.NameHeader() != tt.want || p.IDHeader() != tt.want {
			t.Errorf("%q becomes %q and %q, want %q", tt.name, p.NameHeader(), p.IDHeader(), tt.want)
		}
		if back, err := url.PathUnescape(p.NameHeader()); err != nil || back != tt.name {
			t.Errorf("%q reads back as %q, %v", tt.name, back, err)
		}
	}
	long := principal.New(principal.User{Provider: "p", ID: "id", Name: strings.Repeat("ä", 50_000)})
	if got, want := long.NameHeader(), strings.Repeat("%C3%A4", 128); got != want {
		t.Errorf("a name of 100 kB becomes %d bytes, want 128 whole characters", len(got))
	}
}

func TestHDR9PrincipalHeaderStaysUnderItsCap(t *testing.T) {
	groups, _ := json.Marshal(numbered("group-of-people-with-a-rather-long-name-", 500))
	huge := strings.Repeat("x", 100<<10)
	tests := []struct {
		name, claims string
		check        func(t *testing.T, p principal.Principal)
	}{
		{"500 groups: the last ones go, nothing else", `{"sub":"s","zoneinfo":"UTC","groups":` + string(groups) + `,"unique_name":"ada"}`,
			func(t *testing.T, p principal.Principal) {
				kept := values(p, "groups")
				if len(kept) < 100 || len(kept) >= 500 || kept[0] != "group-of-people-with-a-rather-long-name-0" {
					t.Errorf("%d groups are left, the first %q", len(kept), kept[0])
				}
				if p.Name() != "ada" || len(values(p, subject)) != 1 || len(values(p, "zoneinfo")) != 1 {
					t.Errorf("more than groups is gone: %+v", p.Claims[:2])
				}
			}},
		{"one endless claim: it goes, after the groups", `{"sub":"s","bio":"` + huge + `","groups":["g"],"unique_name":"ada"}`,
			func(t *testing.T, p principal.Principal) {
				if len(p.Claims) != 2 || p.Name() != "ada" || len(values(p, subject)) != 1 {
					t.Errorf("left: %+v", p.Claims)
				}
			}},
		{"an endless name: it is cut", `{"sub":"s","unique_name":"` + huge + `","bio":"b"}`,
			func(t *testing.T, p principal.Principal) {
				if len(p.Name()) != 256 || len(values(p, "bio")) != 1 {
					t.Errorf("the name has %d bytes; claims %d", len(p.Name()), len(p.Claims))
				}
			}},
		{"small enough: nothing goes", `{"sub":"s","groups":["g"],"unique_name":"` + strings.Repeat("n", 300) + `"}`,
			func(t *testing.T, p principal.Principal) {
				if len(p.Name()) != 300 || len(p.Claims) != 3 {
					t.Errorf("the name has %d bytes; claims %d", len(p.Name()), len(p.Claims))
				}
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := principal.New(principal.User{Provider: "oidc", ID: "s", Claims: claims(t, tt.claims)})
			before, name := len(p.Claims), p.Name()
			header, err := p.Header()
			if err != nil {
				t.Fatal(err)
			}
			if len(header) > principal.MaxHeader {
				t.Errorf("the header has %d bytes", len(header))
			}
			text, _ := base64.StdEncoding.DecodeString(header)
			var sent principal.Principal
			if err := json.Unmarshal(text, &sent); err != nil {
				t.Fatal(err)
			}
			tt.check(t, sent)
			if len(p.Claims) != before || p.Name() != name {
				t.Error("Header changed the principal itself")
			}
		})
	}
}

func TestTimeHasSevenDigitsAndIsUTC(t *testing.T) {
	at := time.Date(2016, 8, 9, 4, 50, 55, 976173012, time.FixedZone("", 2*3600))
	if got, want := principal.Time(at), "2016-08-09T02:50:55.9761730Z"; got != want {
		t.Errorf("Time = %s, want %s", got, want)
	}
}

func ExampleNew() {
	c, _ := providers.ParseClaims([]byte(`{"sub":"1081","email":"ada@example.org","amr":["pwd","otp"]}`))
	p := principal.New(principal.User{Provider: "google", ID: "1081", Name: "Ada", Claims: c})
	text, _ := respond.Marshal(p.Claims[1:3])
	fmt.Printf("%s %s\n%s\n", p.IDHeader(), p.NameHeader(), text)
	// Output:
	// 1081 ada@example.org
	// [{"typ":"http:\/\/schemas.xmlsoap.org\/ws\/2005\/05\/identity\/claims\/emailaddress","val":"ada@example.org"},{"typ":"http:\/\/schemas.microsoft.com\/claims\/authnmethodsreferences","val":"pwd"}]
}

func BenchmarkHeader(b *testing.B) {
	u := principal.User{Provider: "google", ID: "1", Claims: claims(b, `{"iss":"https://accounts.google.com","aud":"77.apps","sub":"1081",`+
		`"email":"ada@example.org","email_verified":true,"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","locale":"en","iat":1,"exp":2,"azp":"x"}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := principal.New(u).Header(); err != nil {
			b.Fatal(err)
		}
	}
}

func numbered(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(prefix, i)
	}
	return list
}

func values(p principal.Principal, typ string) []string {
	var vals []string
	for _, c := range p.Claims {
		if c.Typ == typ {
			vals = append(vals, c.Val)
		}
	}
	return vals
}
