package handlers_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
)

// sample is a provider that signs in the user of one of the contract's samples.
type sample struct {
	*stub
	subject string
	claims  string // in the order of the sample
	tokens  providers.Tokens
}

func (p sample) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	claims, err := providers.ParseClaims([]byte(p.claims))
	if err != nil {
		return nil, err
	}
	p.tokens.SentAt = time.Now()
	return &providers.Login{Provider: p.name, AuthTime: time.Now(), Tokens: p.tokens,
		Identity: providers.Identity{Issuer: "https://issuer.example/", Subject: p.subject, Claims: claims}}, nil
}

// Long types that providers without ID tokens use themselves.
const (
	ws = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
)

var secret = providers.NewSecret

// samples are the claim sets of contract 1.7 and 2.2, source DA and JM, with
// values of our own in the place of people's.
var samples = map[string]sample{
	"aad_v1": {stub: &stub{name: "aad"}, subject: "Yd9", claims: `{"aud":"1ee2","iss":"https://sts.windows.net/7b53/","iat":1470707458,"nbf":1470707458,"exp":1470711358,
		"amr":["pwd","mfa"],"email":"alice@contoso.example","family_name":"Example","given_name":"Alice","idp":"live.com","ipaddr":"192.0.2.1","name":"Alice Example",
		"nonce":"3ca45c18_20160809015553","oid":"6a9a","sub":"Yd9","tid":"7b53","unique_name":"live.com#alice@contoso.example","ver":"1.0"}`,
		tokens: providers.Tokens{IDToken: secret("id.token.aad")}},
	"aad": {stub: &stub{name: "aad"}, subject: "Qx1", claims: `{"aud":"5f0c","iss":"https://login.microsoftonline.com/9122/v2.0","iat":1623159358,"nbf":1623159358,"exp":1623163258,
		"aio":"ATQA","c_hash":"x","email":"alice@contoso.example","name":"Alice Example","nonce":"9b61_20210608144053","oid":"a1b2","preferred_username":"alice@contoso.example",
		"rh":"0.AX","sub":"Qx1","tid":"9122","uti":"u","ver":"2.0","groups":["g1","g2"]}`,
		tokens: providers.Tokens{AccessToken: secret("access/aad"), IDToken: secret("id.token.aad"), RefreshToken: secret("refresh+aad"), ExpiresIn: 4321 * time.Second}},
	"google": {stub: &stub{name: "google"}, subject: "1081", claims: `{"iss":"https://accounts.google.com","at_hash":"h","aud":"77.apps.googleusercontent.com","sub":"1081","email_verified":true,
		"azp":"77.apps.googleusercontent.com","email":"alice@gmail.example","iat":1470707458,"exp":1470711058,"name":"Alice Example","picture":"https://lh3.example/a/photo.jpg",
		"given_name":"Alice","family_name":"Example","locale":"en"}`,
		tokens: providers.Tokens{AccessToken: secret("access/google"), IDToken: secret("id.token.google"), RefreshToken: secret("1/refresh"), ExpiresIn: time.Hour}},
	"facebook": {stub: &stub{name: "facebook"}, subject: "1021", claims: `{"` + ws + `nameidentifier":"1021","` + ws + `name":"Alice Example","urn:facebook:link":"https://www.facebook.com/app/1021/",
		"` + ws + `givenname":"Alice","` + ws + `surname":"Example","` + ws + `gender":"female","urn:facebook:locale":"en_US","urn:facebook:timezone":-7}`,
		tokens: providers.Tokens{AccessToken: secret("EAAB"), ExpiresIn: 60 * 24 * time.Hour}},
	"twitter": {stub: &stub{name: "twitter"}, subject: "7151", claims: `{"` + ws + `nameidentifier":"7151","` + ws + `upn":"alice_e","` + ws + `name":"Alice Example","` + ws + `webpage":"https://t.example/x",
		"urn:twitter:description":"Hello / world","urn:twitter:location":"Berlin","urn:twitter:time_zone":"Berlin","urn:twitter:lang":"en","urn:twitter:verified":"False",
		"urn:twitter:profile_image_url_https":"https://pbs.example/a.jpeg"}`,
		tokens: providers.Tokens{AccessToken: secret("7151-access"), AccessTokenSecret: secret("access-secret")}},
	"microsoftaccount": {stub: &stub{name: "microsoftaccount"}, subject: "00034001", claims: `{"` + ws + `nameidentifier":"00034001","` + ws + `name":"Alice Example","` + ws + `givenname":"Alice",
		"` + ws + `surname":"Example","urn:microsoftaccount:locale":"en_US","urn:microsoftaccount:id":"fd1e","urn:microsoftaccount:name":"Alice Example"}`,
		tokens: providers.Tokens{AccessToken: secret("EwB"), AuthenticationToken: secret("authentication.token.jwt"), RefreshToken: secret("M.R3"), ExpiresIn: time.Hour}},
	"github": {stub: &stub{name: "github"}, subject: "583231", claims: `{"` + ws + `nameidentifier":"583231","` + ws + `name":"alice","urn:github:login":"alice","urn:github:id":583231,
		"urn:github:avatar_url":"https://avatars.example/u/583231?v=4","urn:github:name":"Alice Example","urn:github:site_admin":false,"urn:github:company":null}`,
		tokens: providers.Tokens{AccessToken: secret("gho_x")}},
	"apple": {stub: &stub{name: "apple"}, subject: "0012.ab", claims: `{"iss":"https://appleid.apple.com","aud":"com.example.web","exp":1623245000,"iat":1623158600,"sub":"0012.ab","at_hash":"h",
		"email":"alice@privaterelay.example","email_verified":"true","is_private_email":"true","auth_time":1623158598,"nonce_supported":true}`,
		tokens: providers.Tokens{AccessToken: secret("a1"), IDToken: secret("id.token.apple"), ExpiresIn: time.Hour}},
	"custom": {stub: &stub{name: "keycloak"}, subject: "f:1:alice", claims: `{"iss":"https://id.example","sub":"f:1:alice","name":"Alice Example","roles":["reader","writer"],"address":{"locality":"Berlin"}}`,
		tokens: providers.Tokens{AccessToken: secret("access"), IDToken: secret("id.token"), RefreshToken: secret("refresh"), ExpiresIn: 5 * time.Minute}},
}

// The answers for each provider, byte for byte: members in the alphabet's order,
// null ones left out, slashes escaped, seven digits of a second (contract 1.7).
func TestContract17MeIsByteForByteThatOfEachProvider(t *testing.T) {
	for name, p := range samples {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(976173 * time.Microsecond)
				s := tokenSite(t, setup{providers: []providers.Provider{p}, config: handlers.Config{RefreshTokenInMe: true}})
				v := s.visitor()
				v.get("/.auth/login/" + p.name + "/callback?code=x&state=" + v.begin(t, "/.auth/login/"+p.name))
				w := v.get("/.auth/me")
				if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
					t.Fatalf("status %d, %v: %s", w.Code, w.Header(), w.Body)
				}
				golden(t, "me/"+name+".json", w.Body.String()+"\n")
				if one := v.get("/.auth/me?provider=" + p.name); "["+one.Body.String()+"]" != w.Body.String() {
					t.Errorf("?provider=%s: %s", p.name, one.Body)
				}
				if none := v.get("/.auth/me?provider=somebody_else"); none.Body.String() != "{}" {
					t.Errorf("another provider: %s", none.Body)
				}
			})
		})
	}
}

// user_id is the friendly name that the samples show.
func TestContract17UserIDIsTheNameThatAppServiceShows(t *testing.T) {
	for name, want := range map[string]string{
		"aad_v1": "alice@contoso.example", "aad": "alice@contoso.example", "google": "alice@gmail.example", "facebook": "Alice Example",
		"twitter": "alice_e", "microsoftaccount": "Alice Example", "github": "alice", "custom": "Alice Example",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := samples[name]
			s := newSite(t, setup{providers: []providers.Provider{p}})
			v := s.visitor()
			v.get("/.auth/login/" + p.name + "/callback?code=x&state=" + v.begin(t, "/.auth/login/"+p.name))
			if got := meOf(t, v.get("/.auth/me").Body.Bytes()); got.UserID != want {
				t.Errorf("%s: user_id %q, want %q", name, got.UserID, want)
			}
		})
	}
}
