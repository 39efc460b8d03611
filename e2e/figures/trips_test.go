package figures_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// What a request waits for is counted on the wire, where nothing is hidden: a
// signed-in one waits for the server once, whatever it uses, and a stranger
// never.
func oneRoundTrip(t *testing.T, on *server) {
	link := testserver.NewProxy(t, on.addr)
	plain := newHouse(t, easyauth.Config{}, on.open(t, link.Addr()))
	headers := newHouse(t, easyauth.Config{IdentityHeaders: true, TokenHeaders: true}, on.open(t, link.Addr()))
	for _, tt := range []struct {
		name  string
		house *house
		path  string
	}{
		{"a public page", plain, "/"},
		{"a page behind Require", plain, "/account"},
		{"a page whose handler uses the token", plain, "/files"},
		{"a page behind RequireToken", plain, "/mail"},
		{"a page that gets identity and tokens as headers", headers, "/account"},
	} {
		r := tt.house.replicas[0]
		v := tt.house.SignIn(r, "ada", fresh)
		wantTrips(t, tt.name, link, 1, r, v, tt.path)
		wantTrips(t, tt.name+", of a stranger", link, 0, r, visitor{}, tt.path)
	}
}

// wantTrips asks a number of times and counts.
func wantTrips(t *testing.T, name string, link *testserver.Proxy, want int, r *replica, v visitor, path string) {
	t.Helper()
	const requests = 20
	before := link.RoundTrips()
	for range requests {
		if got := r.Ask(v, path).StatusCode; got != http.StatusOK && want > 0 {
			t.Fatalf("%s: answered %d", name, got)
		}
	}
	if got := link.RoundTrips() - before; got != want*requests {
		t.Errorf("%s: %d round trips for %d requests, want %d each", name, got, requests, want)
	}
}

// R23: as long as neither the session nor its token has to be renewed, a request
// reads once, writes nothing, also with an idle timeout, and asks no provider.
func readsOnly(t *testing.T, on *server) { wantReadsOnly(t, on.open(t, on.addr)) }

func TestR23ARequestReadsOnceAndWritesNothing(t *testing.T) { wantReadsOnly(t, memstore.New()) }

func wantReadsOnly(t *testing.T, rows store.Store) {
	const requests = 200
	st := storetest.NewCounting(rows)
	h := newHouse(t, easyauth.Config{IdleTimeout: time.Hour}, st)
	v := h.SignIn(h.replicas[0], "ada", fresh)
	for _, path := range []string{"/account", "/mail"} {
		asked := h.op.Stats().Requests
		st.Reset()
		var took spread
		for range requests {
			began := time.Now()
			resp := h.replicas[0].Ask(v, path)
			took = append(took, time.Since(began))
			if resp.StatusCode != http.StatusOK || len(resp.Cookies()) > 0 {
				t.Fatalf("%s: answered %d with %v", path, resp.StatusCode, resp.Cookies())
			}
		}
		if got, want := st.Reset(), (storetest.Counts{Loads: requests, Keys: 2 * requests}); got != want {
			t.Errorf("%s: %d requests made %+v, want %+v", path, requests, got, want)
		}
		for endpoint, n := range h.op.Stats().Requests {
			if n != asked[endpoint] {
				t.Errorf("%s: %d requests to the provider's %v", path, n-asked[endpoint], endpoint)
			}
		}
		t.Logf("%s: %v", path, took)
	}
}

// R23: on the store in memory, where nothing else costs anything.
func TestR23AllocationsOfARequest(t *testing.T) {
	const most = 40
	h := newHouse(t, easyauth.Config{}, memstore.New())
	v := h.SignIn(h.replicas[0], "ada", fresh)
	w := &discard{make(http.Header)}
	for _, path := range []string{"/account", "/mail"} {
		r := v.request(path)
		n := testing.AllocsPerRun(200, func() { h.replicas[0].app.ServeHTTP(w, r) })
		if n >= most {
			t.Errorf("%s: %v allocations, want fewer than %d", path, n, most)
		}
		t.Logf("%s: %v allocations", path, n)
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
