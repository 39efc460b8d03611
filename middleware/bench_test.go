package middleware_test

import (
	"context"
	"encoding/gob"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// maxAllocs is what a signed-in request may allocate, tokens not asked for.
const maxAllocs = 14

func TestASignedInRequestStaysWithinItsAllocations(t *testing.T) {
	a := newApp(t)
	r := request("GET", "/account", a.signIn(t))
	h := a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { session.FromContext(r.Context()) }))
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); n > maxAllocs {
		t.Errorf("%v allocations, want at most %d", n, maxAllocs)
	}
}

// BenchmarkRequest compares a request through the middleware, both with a
// memory store, with the same request through scs: LoadAndSave, and one Get of
// the same user.
func BenchmarkRequest(b *testing.B) {
	a := newApp(b, withTokens)
	cookie := a.signIn(b)
	easyauth := a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { session.FromContext(r.Context()) }))
	tokens := a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		if _, err := s.Token(r.Context()); err != nil {
			b.Fatal(err)
		}
	}))
	peer, peerCookie := withSCS(b)
	for _, bm := range []struct {
		name string
		h    http.Handler
		r    *http.Request
	}{
		{"anonymous", easyauth, page("/account")},
		{"anonymous with foreign cookies", easyauth, page("/account", &http.Cookie{Name: "theme", Value: "dark"}, &http.Cookie{Name: "lang", Value: "en"})},
		{"signed-in", easyauth, page("/account", cookie)},
		{"signed-in and a fresh token", tokens, page("/account", cookie)},
		{"signed-in by a session token", easyauth, with(request("GET", "/api"), "X-ZUMO-AUTH", a.token(b))},
		{"scs anonymous", peer, page("/account")},
		{"scs signed-in", peer, page("/account", peerCookie)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			w := &discard{header: make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				bm.h.ServeHTTP(w, bm.r)
			}
		})
	}
}

// user12 is the user of twelveClaims as an application keeps one in scs.
type user12 struct {
	Provider, Issuer, ID, Name, Email string
	CreatedAt, ExpiresAt              time.Time
	Claims                            map[string]any
}

func withSCS(b *testing.B) (http.Handler, *http.Cookie) {
	gob.Register(user12{})
	gob.Register([]any{})
	claims, err := providers.ParseClaims([]byte(twelveClaims))
	if err != nil {
		b.Fatal(err)
	}
	u := user12{"google", "https://id.example", "user-1", "Ada Lovelace", "ada@example.org", time.Now(), time.Now().Add(8 * time.Hour), make(map[string]any)}
	for name := range claims.All() {
		var v any
		if err := claims.Decode(name, &v); err != nil {
			b.Fatal(err)
		}
		u.Claims[name] = v
	}
	m := scs.New()
	ctx, err := m.Load(context.Background(), "")
	if err != nil {
		b.Fatal(err)
	}
	m.Put(ctx, "user", u)
	token, _, err := m.Commit(ctx)
	if err != nil {
		b.Fatal(err)
	}
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = m.Get(r.Context(), "user").(user12)
	}))
	return h, &http.Cookie{Name: m.Cookie.Name, Value: token}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
