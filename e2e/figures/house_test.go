package figures_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store"
)

// house is one application of several replicas.
type house struct {
	t        testing.TB
	op       *providertest.Server
	replicas []*replica

	mu     sync.Mutex
	waited spread          // what the hook of that name was told
	ended  []session.Event // likewise
	later  int             // how often a visitor was told to come back
}

// replica is one process of the application, or would be.
type replica struct {
	*easyauth.Auth
	app      http.Handler // the application with easyauth around it
	provider *providers.OIDC
	line     *line
}

// tokenLife is how long an access token is good.
const tokenLife = time.Hour

// How old the access token of somebody is who signs in.
const (
	fresh   = time.Duration(0)
	expired = 2 * tokenLife
)

// newHouse puts one replica over each of the stores, as cfg says.
func newHouse(t testing.TB, cfg easyauth.Config, stores ...store.Store) *house {
	t.Helper()
	h := &house{t: t, op: providertest.New(providertest.Config{
		Issuer:        "https://" + strings.ToLower(rand.Text()) + ".example", // so that its users are nobody else's
		AlwaysRefresh: true, AccessTokens: providertest.JWT, AccessTokenLifetime: tokenLife, Algorithm: "EdDSA",
	})}
	cfg.BaseURL = "https://app.example"
	cfg.Keys = []providers.Secret{easyauth.NewKey()}
	cfg.Hooks = session.Hooks{Waited: h.noteWait, Ended: h.noteEnd}
	for _, st := range stores {
		h.replicas = append(h.replicas, h.newReplica(cfg, st))
	}
	return h
}

// newFleet is three replicas on one server, each with a way of its own to it.
func newFleet(t testing.TB, on *server) *house {
	t.Helper()
	stores := make([]store.Store, 3)
	for i := range stores {
		stores[i] = on.open(t, on.addr)
	}
	return newHouse(t, easyauth.Config{}, stores...)
}

func (h *house) newReplica(cfg easyauth.Config, st store.Store) *replica {
	h.t.Helper()
	r := &replica{line: &line{next: providertest.NewNetwork(map[string]http.Handler{h.op.Host(): h.op})}}
	var err error
	r.provider, err = providers.NewOIDC(providers.OIDCConfig{
		Name:         "op",
		Issuer:       h.op.Issuer(),
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Refresh:      providers.RefreshPolicy{Class: providers.Strict},
		HTTPClient:   &http.Client{Transport: r.line},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	cfg.Providers, cfg.Store = []providers.Provider{r.provider}, st
	if r.Auth, err = easyauth.New(cfg); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { r.Auth.Close() })
	r.app = r.Wrap(routes(r.Auth))
	return r
}

// routes are what an application has: a page for everybody, one for signed-in
// people, and two that use tokens, in either of the ways there are.
func routes(auth *easyauth.Auth) http.Handler {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("GET /", ok)
	mux.Handle("GET /account", auth.Require(ok))
	mux.Handle("GET /mail", auth.RequireToken(ok))
	mux.Handle("GET /files", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		if _, err := s.Token(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
		}
	})))
	return mux
}

// visitor is a signed-in browser.
type visitor struct {
	session *session.Session
	cookie  string
}

// SignIn signs user in at a replica.
func (h *house) SignIn(r *replica, user string, age time.Duration) visitor {
	h.t.Helper()
	v, err := h.signIn(r, user, age)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) signIn(r *replica, user string, age time.Duration) (visitor, error) {
	ctx := context.Background()
	flow := providers.NewFlow("op", "https://app.example/.auth/login/op/callback", "/")
	at, err := r.provider.Begin(ctx, &flow, nil)
	if err != nil {
		return visitor{}, err
	}
	response, err := h.op.Authorize(at, user)
	if err != nil {
		return visitor{}, err
	}
	login, err := r.provider.Complete(ctx, flow, response)
	if err != nil {
		return visitor{}, err
	}
	login.Tokens.SentAt = login.Tokens.SentAt.Add(-age)
	w := httptest.NewRecorder()
	s, err := r.Sessions().Start(w, httptest.NewRequest(http.MethodGet, "https://app.example/", nil), login, "")
	if err != nil {
		return visitor{}, err
	}
	c := w.Result().Cookies()[0]
	return visitor{s, c.Name + "=" + c.Value}, nil
}

// request is one of the visitor's; of nobody's, if there is no cookie.
func (v visitor) request(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://app.example"+path, nil)
	if v.cookie != "" {
		r.Header.Set("Cookie", v.cookie)
	}
	return r
}

// Ask sends a request of the visitor's and returns the answer.
func (r *replica) Ask(v visitor, path string) *http.Response {
	w := httptest.NewRecorder()
	r.app.ServeHTTP(w, v.request(path))
	return w.Result()
}

// AskPatiently asks one of the replicas in turn, and again when it may where the
// answer is to come back later: a store that gets thousands of requests at once,
// on a machine with more to do, does not get to all of them in its time. Any
// other answer but a good one would tell a user to sign in, and fails the test.
func (h *house) AskPatiently(turn int, v visitor, path string) {
	r := h.replicas[turn%len(h.replicas)]
	for {
		resp := r.Ask(v, path)
		wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		switch {
		case resp.StatusCode == http.StatusOK && len(resp.Cookies()) == 0:
			return
		case resp.StatusCode != http.StatusServiceUnavailable || err != nil:
			h.t.Errorf("answered %d with the cookies %v", resp.StatusCode, resp.Cookies())
			return
		}
		h.mu.Lock()
		h.later++
		h.mu.Unlock()
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

// report tells how often somebody had to come back, and fails the test if a
// session ended.
func (h *house) report() {
	h.t.Helper()
	h.mu.Lock()
	if h.later > 0 {
		h.t.Logf("%d answers were to come back later", h.later)
	}
	h.mu.Unlock()
	for _, e := range h.takeEnds() {
		h.t.Errorf("session ended: %s", e.Reason)
	}
}

func (h *house) noteWait(_ context.Context, e session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waited = append(h.waited, e.Took)
}

// takeWaits returns how long requests have waited for tokens since the last time.
func (h *house) takeWaits() (waited spread) {
	h.mu.Lock()
	defer h.mu.Unlock()
	waited, h.waited = h.waited, nil
	return waited
}

func (h *house) noteEnd(_ context.Context, e session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, e)
}

// takeEnds returns the ends of sessions that were told since the last time.
func (h *house) takeEnds() (ended []session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended, h.ended = h.ended, nil
	return ended
}
