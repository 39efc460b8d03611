package onehost_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/onehost"
)

func TestURLIsWhereABrowserOfThisComputerGetsToTheListener(t *testing.T) {
	at := &net.TCPAddr{Port: 8080}
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"localhost:0":    "http://localhost:8080",
		":8080":          "http://127.0.0.1:8080",
		"0.0.0.0:8080":   "http://127.0.0.1:8080",
		"[::]:8080":      "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		if got := onehost.URL(addr, at); got != want {
			t.Errorf("-addr %s is opened at %s, want %s", addr, got, want)
		}
	}
}

func TestOnlyAnotherNameOfThisComputerIsSentToItsOwnName(t *testing.T) {
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, row := range []struct{ base, method, host, sentTo string }{
		{"http://127.0.0.1:8080", "GET", "localhost:8080", "http://127.0.0.1:8080/a%2Fb?c=d"},
		{"http://localhost:8080", "GET", "[::1]:8080", "http://localhost:8080/a%2Fb?c=d"},
		{"http://127.0.0.1:8080", "GET", "127.0.0.1:8080", ""},
		{"http://127.0.0.1:8080", "POST", "localhost:8080", ""},
		{"http://127.0.0.1:8080", "GET", "localhost:9090", ""},
		{"http://127.0.0.1:8080", "GET", "app.example:8080", ""},
		{"https://app.example", "GET", "localhost:443", ""},
	} {
		r := httptest.NewRequest(row.method, "/a%2Fb?c=d", nil)
		r.Host = row.host
		w := httptest.NewRecorder()
		onehost.Handler(row.base, served).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != row.sentTo || (got == "") != (w.Code == http.StatusTeapot) {
			t.Errorf("%s, asked %s for %s: %d, sent to %q, want %q", row.base, row.method, row.host, w.Code, got, row.sentTo)
		}
	}
}

func TestLoopbackIsWhatOnlyThisComputerReaches(t *testing.T) {
	for base, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://localhost": true, "http://[::1]:1": true, "http://127.9.9.9": true,
		"https://app.example": false, "http://10.0.0.1": false, "http://localhost.example": false, "127.0.0.1": false, "http://0.0.0.0": false,
	} {
		if got := onehost.Loopback(base); got != want {
			t.Errorf("Loopback(%q) = %v", base, got)
		}
	}
}
