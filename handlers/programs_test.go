package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// Places of the list that the sites for programs have.
const (
	spa      = "https://spa.example"
	callback = "myapp://easyauth.callback"
)

// tokenSite is a site with session tokens, and with a provider called aad that
// signs in who a client's access token names.
func tokenSite(t testing.TB, in setup) *site {
	t.Helper()
	in.sessions.SigningKeys = [][]byte{bytes.Repeat([]byte("s"), 32)}
	in.sessions.TokenIssuer = app + "/"
	if in.config.AllowedRedirects == nil {
		in.config.AllowedRedirects = []string{spa, callback, "https://paged.example/end"}
	}
	if in.providers == nil && in.op == nil {
		if in.stub == nil {
			in.stub = &stub{name: "aad"}
		}
		in.providers = []providers.Provider{clientStub{stub: in.stub}, &stub{name: "github"}}
	}
	return newSite(t, in)
}

// clientStub is a stub that takes tokens from clients too.
type clientStub struct {
	*stub
	took func() // before the answer
}

func (p clientStub) LoginWithTokens(_ context.Context, tokens providers.ClientTokens) (*providers.Login, error) {
	if p.took != nil {
		p.took()
	}
	refuse := func(k providers.Kind) (*providers.Login, error) {
		return nil, &providers.Error{Provider: p.name, Op: "verify", Kind: k}
	}
	switch token := tokens.AccessToken.Reveal(); token {
	case "":
		return refuse(providers.Incomplete)
	case "forged":
		return refuse(providers.Invalid)
	case "somebody else's":
		return refuse(providers.Mismatch)
	case "not allowed":
		return refuse(providers.NotAllowed)
	case "no keys":
		return refuse(providers.Unready)
	default:
		return &providers.Login{Provider: p.name, AuthTime: time.Now(),
			Identity: providers.Identity{Issuer: "https://op.example", Subject: token},
			Tokens:   providers.Tokens{AccessToken: tokens.AccessToken, RefreshToken: tokens.RefreshToken, SentAt: time.Now(), ExpiresIn: tokens.ExpiresIn}}, nil
	}
}

// program makes a request without cookies, as an SDK does on a device.
func (s *site) program(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	if strings.HasPrefix(target, "/") {
		target = app + target
	}
	r := httptest.NewRequest(method, target, nil)
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// loginJSON is what every SDK reads after a sign-in (contract 1.3, 1.4).
type loginJSON struct {
	AuthenticationToken string `json:"authenticationToken"`
	User                struct {
		UserID string `json:"userId"`
	} `json:"user"`
}

// signedInBy reads the JSON of a sign-in, checks that it has the form of the
// contract, and returns its token.
func signedInBy(t testing.TB, s *site, text, user string) (token string) {
	t.Helper()
	var got loginJSON
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil || strings.Count(got.AuthenticationToken, ".") != 2 {
		t.Fatalf("%q is no answer to a sign-in: %v", text, err)
	}
	if id := got.User.UserID; len(id) != 36 || !strings.HasPrefix(id, "sid:") {
		t.Errorf("userId %q", id)
	}
	loaded, err := s.sessions.LoadToken(t.Context(), got.AuthenticationToken)
	if err != nil || loaded.User.ID != user || loaded.User.SID() != got.User.UserID {
		t.Fatalf("the token is of %v (%v), want %s", loaded, err, user)
	}
	return got.AuthenticationToken
}

// clientLogin signs user in with the provider's token.
func (s *site) clientLogin(t testing.TB, user string) (token string) {
	t.Helper()
	w := s.program(http.MethodPost, "/.auth/login/aad", `{"access_token":"`+user+`","expires_in":3600}`)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return signedInBy(t, s, w.Body.String(), user)
}

// land signs alice in by way of login and returns where that ends.
func land(t testing.TB, v *visitor, login string) *httptest.ResponseRecorder {
	t.Helper()
	state := v.begin(t, login)
	return v.get("/.auth/login/aad/callback?code=alice&state=" + state)
}

// fragmentOf is the value of a fragment of one name, decoded as the SDKs do.
func fragmentOf(t testing.TB, w *httptest.ResponseRecorder, before, name string) string {
	t.Helper()
	location := w.Header().Get("Location")
	rest, ok := strings.CutPrefix(location, before+"#"+name+"=")
	if w.Code != http.StatusFound || !ok || strings.ContainsAny(rest, "+ #&\"") {
		t.Fatalf("status %d, Location %q, want %s#%s=", w.Code, location, before, name)
	}
	asForm, err := url.QueryUnescape(rest)
	if err != nil {
		t.Fatal(err)
	}
	if asPath, err := url.PathUnescape(rest); err != nil || asPath != asForm {
		t.Errorf("%q is read in two ways", rest)
	}
	return asForm
}

// problem reads the answer that refuses a program.
func refusedProgram(t testing.TB, w *httptest.ResponseRecorder, status int, why string) {
	t.Helper()
	var got struct {
		Code           int
		Message, Error string
		Reason         string
	}
	err := json.Unmarshal(w.Body.Bytes(), &got)
	if w.Code != status || err != nil || got.Code != status || got.Reason != why || got.Message == "" || got.Error != got.Message {
		t.Errorf("status %d, %q: want %d with code, message, error and the reason %s", w.Code, w.Body, status, why)
	}
	for _, c := range w.Result().Cookies() {
		if c.MaxAge >= 0 {
			t.Errorf("a cookie is set: %s", c.Name)
		}
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", w.Header().Get("Cache-Control"))
	}
	if status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// listener is a provider that notes what a client sent, and refuses it.
type listener struct {
	*stub
	heard string
}

func (p *listener) LoginWithTokens(_ context.Context, t providers.ClientTokens) (*providers.Login, error) {
	var words []string
	for _, secret := range []providers.Secret{t.AccessToken, t.AccessTokenSecret, t.AuthenticationToken, t.IDToken, t.RefreshToken, t.AuthorizationCode} {
		words = append(words, secret.Reveal())
	}
	words = append(words, t.RedirectURI, t.Username, t.Password.Reveal(), t.ExpiresIn.String())
	p.heard = strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	return nil, &providers.Error{Provider: p.name, Op: "verify", Kind: providers.Invalid}
}
