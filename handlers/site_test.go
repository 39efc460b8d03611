package handlers_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

const app = "https://app.example"

var keys = [][]byte{bytes.Repeat([]byte("k"), 32)}

// setup is what a test changes about a site; the zero setup is one with a stub
// provider called aad.
type setup struct {
	config    handlers.Config
	sessions  session.Config
	providers []providers.Provider
	op        *providertest.Server    // in place of the stub
	oidc      providers.OIDCConfig    // how it is registered there
	shared    *storetest.Counting     // the store of another replica
	logger    *slog.Logger            // else the site's own
	stub      *stub                   // else a new one
	more      map[string]http.Handler // other hosts of the network
}

// site is one replica of an application at https://app.example, without sockets.
type site struct {
	*handlers.Handler
	sessions *session.Manager
	counting *storetest.Counting
	faulty   *storetest.Faulty
	stub     *stub
	op       *providertest.Server
	network  *providertest.Network
	logs     *logs
}

func newSite(t testing.TB, in setup) *site {
	t.Helper()
	s := &site{op: in.op, logs: &logs{}, stub: in.stub, counting: in.shared}
	if s.counting == nil {
		s.counting = storetest.NewCounting(memstore.New())
	}
	s.faulty = storetest.NewFaulty(s.counting)
	if s.stub == nil {
		s.stub = &stub{name: "aad"}
	}
	list := in.providers
	switch {
	case list != nil:
	case in.op == nil:
		list = []providers.Provider{s.stub}
	default:
		c := in.oidc
		if c.Name == "" {
			c.Name = "aad"
		}
		c.Issuer, c.HTTPClient = in.op.Issuer(), in.op.Client()
		c.ClientID, c.ClientSecret = providertest.ClientID, providers.NewSecret(providertest.ClientSecret)
		if c.Scopes == nil {
			c.Scopes = []string{"openid", "profile", "email", "offline_access"}
		}
		p, err := providers.NewOIDC(c)
		if err != nil {
			t.Fatal(err)
		}
		list = []providers.Provider{p}
	}
	logger := in.logger
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	sc := in.sessions
	sc.Store, sc.Providers, sc.Logger = s.faulty, list, logger
	var err error
	if s.sessions, err = session.NewManager(sc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.sessions.Close() })
	hc := in.config
	hc.Sessions, hc.Providers, hc.Logger = s.sessions, list, logger
	if hc.Keys == nil {
		hc.Keys = keys
	}
	if hc.BaseURL == nil {
		hc.BaseURL = parse(app)
	}
	if s.Handler, err = handlers.New(hc); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/.auth/", s)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, s.user(r)) })
	hosts := map[string]http.Handler{"app.example": mux}
	if s.op != nil {
		hosts[s.op.Host()] = s.op
	}
	for host, h := range in.more {
		hosts[host] = h
	}
	s.network = providertest.NewNetwork(hosts)
	return s
}

// user is who the application takes the request to be from.
func (s *site) user(r *http.Request) string {
	if loaded, err := s.sessions.Load(r); err == nil {
		return loaded.User.ID
	}
	return "nobody"
}

// sessionCount is how many sessions could be signed in to.
func (s *site) sessionCount(visitors ...*visitor) (n int) {
	for _, v := range visitors {
		if s.user(v.request(http.MethodGet, "/")) != "nobody" {
			n++
		}
	}
	return n
}

// visitor is a browser that follows nothing: it keeps cookies by their names
// and shows every answer.
type visitor struct {
	to      http.Handler
	cookies map[string]string
}

func (s *site) visitor() *visitor { return &visitor{to: s.Handler, cookies: map[string]string{}} }

func (v *visitor) clone() *visitor {
	c := &visitor{to: v.to, cookies: map[string]string{}}
	for name, value := range v.cookies {
		c.cookies[name] = value
	}
	return c
}

// request makes one with the cookies of v. headers are names and values in turn.
func (v *visitor) request(method, target string, headers ...string) *http.Request {
	if strings.HasPrefix(target, "/") {
		target = app + target
	}
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept", "text/html")
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (v *visitor) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	v.to.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 || !c.Expires.IsZero() && !c.Expires.After(time.Now()) {
			delete(v.cookies, c.Name)
		}
	}
	return w
}

func (v *visitor) get(target string, headers ...string) *httptest.ResponseRecorder {
	return v.do(v.request(http.MethodGet, target, headers...))
}

func (v *visitor) post(target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := v.request(http.MethodPost, target, headers...)
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.do(r)
}

// begin starts a sign-in and returns its state.
func (v *visitor) begin(t testing.TB, target string) (state string) {
	t.Helper()
	w := v.get(target)
	if w.Code != http.StatusFound {
		t.Fatalf("GET %s: status %d: %s", target, w.Code, w.Body)
	}
	return parse(w.Header().Get("Location")).Query().Get("state")
}

// signIn signs user in by way of the stub provider.
func (v *visitor) signIn(t testing.TB, user string) {
	t.Helper()
	state := v.begin(t, "/.auth/login/aad")
	if w := v.get("/.auth/login/aad/callback?code=" + user + "&state=" + state); w.Code != http.StatusFound {
		t.Fatalf("callback: status %d: %s", w.Code, w.Body)
	}
}

// flows are the names of the login attempts that v keeps.
func (v *visitor) flows() (names []string) {
	for name := range v.cookies {
		if strings.Contains(name, "easyauth-flow-") {
			names = append(names, name)
		}
	}
	return names
}

// stub is a provider that signs in whoever the code names, and counts.
type stub struct {
	name     string
	formPost bool
	failure  error         // of Complete
	unready  error         // of Begin
	took     time.Duration // by Complete
	then     func()        // after Complete

	mu        sync.Mutex
	params    []url.Values
	completed int
}

func (p *stub) Name() string { return p.name }

func (p *stub) Begin(_ context.Context, f *providers.Flow, params url.Values) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.params = append(p.params, params)
	f.FormPost = p.formPost
	return "https://op.example/authorize?state=" + f.State(), p.unready
}

func (p *stub) Complete(_ context.Context, f providers.Flow, response url.Values) (*providers.Login, error) {
	time.Sleep(p.took)
	if p.then != nil {
		defer p.then()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.completed++
	if p.failure != nil {
		return nil, p.failure
	}
	return &providers.Login{
		Provider: p.name,
		Identity: providers.Identity{Issuer: "https://op.example", Subject: response.Get("code")},
		Tokens:   providers.Tokens{AccessToken: providers.NewSecret("access-" + response.Get("code")), SentAt: time.Now(), ExpiresIn: time.Hour},
		AuthTime: time.Now(),
	}, nil
}

// calls is how often a code was spent.
func (p *stub) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.completed
}

// logs is a writer that a test can read.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func parse(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// reason is the reason that an answer gives to programs.
func reason(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	_, rest, ok := strings.Cut(w.Body.String(), `"reason":"`)
	why, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("status %d, no reason in %q", w.Code, w.Body)
	}
	return why
}

// program makes an answer problem+json, so that its reason can be read.
var program = []string{"Accept", "application/json"}

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}
