package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

// TestMain keeps the keys of whoever runs the tests out of them.
func TestMain(m *testing.M) {
	for _, k := range []keyring{encryption, signing} {
		os.Unsetenv(k.variable)
	}
	os.Unsetenv("WEBSITE_HOSTNAME")
	os.Exit(m.Run())
}

// start runs the gateway, with the development provider and sessions in memory
// unless args say otherwise, in front of the application.
func start(t *testing.T, application http.Handler, args ...string) *apptest.Program {
	t.Helper()
	upstream := httptest.NewServer(application)
	t.Cleanup(upstream.Close)
	return startAt(t, upstream.URL, args...)
}

func startAt(t *testing.T, upstream string, args ...string) *apptest.Program {
	t.Helper()
	args = append([]string{"-dev", "-addr", "127.0.0.1:0", "-upstream", upstream}, args...)
	return apptest.Start(t, func(ctx context.Context, stdout, stderr io.Writer) int {
		return run(ctx, args, stdout, stderr)
	})
}

// startAs is start without the development provider, for a public address that is
// not the one that it listens on, which it returns.
func startAs(t *testing.T, application http.Handler, args ...string) (at string) {
	t.Helper()
	addr := freeAddr(t)
	start(t, application, append([]string{"-dev=false", "-addr", addr}, args...)...)
	return "http://" + addr
}

// seen is what an application tells of the request that it got.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Trailer           http.Header
}

// mirror is an application that tells what it sees.
var mirror = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, r.Header, r.Trailer})
})

// own are the headers that only the gateway may set, as the application sees
// them in whatever spelling.
func (s seen) own() []string {
	var names []string
	for name := range s.Header {
		folded := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
		if strings.HasPrefix(folded, "x-ms-client-") || strings.HasPrefix(folded, "x-ms-token-") {
			names = append(names, name)
		}
	}
	return names
}

// look asks the mirror as a script of the page does.
func look(t *testing.T, b *apptest.Browser, url string) seen {
	t.Helper()
	var s seen
	if page := b.Ask(http.MethodGet, url, &s); page.Status != http.StatusOK {
		t.Fatalf("%s answers %d: %s", url, page.Status, page.Body)
	}
	return s
}

// do sends a request as a program without a session does, and follows no
// redirect.
func do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func get(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, resp *http.Response, into any) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		t.Fatalf("%d: %v: %s", resp.StatusCode, err, body)
	}
}
