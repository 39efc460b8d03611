package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// app is an application behind a Guard, with everything that can go wrong
// around it.
type app struct {
	*middleware.Guard
	sessions *session.Manager
	counts   *storetest.Counting
	faults   *storetest.Faulty
	idp      *idp
}

func newApp(t testing.TB, options ...func(*middleware.Config, *session.Config)) *app {
	t.Helper()
	a := &app{idp: &idp{name: "google"}}
	a.faults = storetest.NewFaulty(memstore.New())
	a.counts = storetest.NewCounting(a.faults)
	base, _ := url.Parse("https://app.example")
	mc, sc := middleware.Config{BaseURL: base}, session.Config{Store: a.counts}
	for _, o := range options {
		o(&mc, &sc)
	}
	sc.Providers = []providers.Provider{a.idp, plain{}}
	var err error
	if a.sessions, err = session.NewManager(sc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.sessions.Close() })
	mc.Sessions = a.sessions
	if a.Guard, err = middleware.New(mc); err != nil {
		t.Fatal(err)
	}
	return a
}

const twelveClaims = `{"iss":"https://id.example","aud":"client","sub":"user-1","email":"ada@example.org","email_verified":true,` +
	`"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","locale":"en","groups":["g1","g2"],"iat":1,"exp":2}`

// signIn starts a session and returns its cookie. With no tokens given, the
// login brings an access token for an hour and a refresh token.
func (a *app) signIn(t testing.TB, change ...func(*providers.Login)) *http.Cookie {
	t.Helper()
	claims, err := providers.ParseClaims([]byte(twelveClaims))
	if err != nil {
		t.Fatal(err)
	}
	login := &providers.Login{
		Provider: a.idp.name,
		Identity: providers.Identity{Issuer: "https://id.example", Subject: "user-1", Claims: claims},
		Tokens:   tokens("access-0", "refresh-0"),
		AuthTime: time.Now(),
	}
	for _, c := range change {
		c(login)
	}
	rec := httptest.NewRecorder()
	if _, err := a.sessions.Start(rec, httptest.NewRequest("GET", "https://app.example/.auth/login/google/callback", nil), login, ""); err != nil {
		t.Fatal(err)
	}
	return rec.Result().Cookies()[0]
}

func tokens(access, refresh string) providers.Tokens {
	return providers.Tokens{
		AccessToken:  providers.NewSecret(access),
		RefreshToken: providers.NewSecret(refresh),
		IDToken:      providers.NewSecret("header.payload.signature"),
		SentAt:       time.Now(),
		ExpiresIn:    time.Hour,
	}
}

// idp is a provider that answers refreshes as it is told.
type idp struct {
	name   string
	answer func() (*providers.Tokens, error)
	asks   bool // always, so that nothing is silent
	calls  atomic.Int32
}

func (p *idp) Name() string { return p.name }

func (p *idp) Begin(context.Context, *providers.Flow, url.Values) (string, error) {
	return "", errors.New("not used here")
}

func (p *idp) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	return nil, errors.New("not used here")
}

func (p *idp) Refresh(context.Context, providers.RefreshRequest) (*providers.Tokens, error) {
	p.calls.Add(1)
	if p.answer != nil {
		return p.answer()
	}
	t := tokens("access-1", "refresh-1")
	return &t, nil
}

func (p *idp) RefreshPolicy() providers.RefreshPolicy { return providers.RefreshPolicy{} }

func (p *idp) SilentParams() url.Values {
	if p.asks {
		return nil
	}
	return url.Values{"prompt": {"none"}}
}

// VerifyBearer knows the token "robot"; others are named after why they are refused.
func (p *idp) VerifyBearer(_ context.Context, token providers.Secret) (providers.Identity, time.Time, error) {
	kind := providers.Invalid
	switch token.Reveal() {
	case "robot":
		return providers.Identity{Issuer: "https://id.example", Subject: "robot"}, time.Now().Add(time.Hour), nil
	case "barred":
		kind = providers.NotAllowed
	case "down":
		kind = providers.Unready
	}
	return providers.Identity{}, time.Time{}, &providers.Error{Provider: p.name, Op: "verify", Kind: kind}
}

// plain is a provider that cannot refresh.
type plain struct{ providers.Provider }

func (plain) Name() string { return "plain" }

// fail makes every refresh fail.
func (p *idp) fail(kind providers.Kind, retryAfter time.Duration) {
	p.answer = func() (*providers.Tokens, error) {
		return nil, &providers.Error{Provider: p.name, Op: "refresh", Kind: kind, RetryAfter: retryAfter}
	}
}

// request is a request as a program sends it; page is one of a person's browser.
func request(method, target string, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func page(target string, cookies ...*http.Cookie) *http.Request {
	r := request("GET", target, cookies...)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	return r
}

// visit sends r through h and returns the answer, and the request that the
// application behind the middleware saw: nil if it saw none.
func visit(through func(http.Handler) http.Handler, r *http.Request) (*httptest.ResponseRecorder, *http.Request) {
	var seen *http.Request
	rec := httptest.NewRecorder()
	through(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		w.Write([]byte("application"))
	})).ServeHTTP(rec, r)
	return rec, seen
}

// reason is the reason of a problem+json answer, or "".
func reason(rec *httptest.ResponseRecorder) string {
	var body struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(rec.Body.Bytes(), &body)
	return body.Reason
}

func user(r *http.Request) string {
	if s, ok := session.FromContext(r.Context()); ok {
		return s.User.ID
	}
	return ""
}

// logTo writes every record, debug level included, to w.
func logTo(w io.Writer) func(*middleware.Config, *session.Config) {
	return func(m *middleware.Config, s *session.Config) {
		log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
		m.Logger, s.Logger = log, log
	}
}
