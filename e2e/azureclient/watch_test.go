package azureclient_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// watch remembers what a service was asked and what it wrote.
type watch struct {
	t      testing.TB
	logs   logs
	mu     sync.Mutex
	seen   []request
	issued []string // session tokens and codes
}

// request is what arrived, and the cookies of its answer.
type request struct {
	Method, URL string
	Header      http.Header
	Cookies     []string
}

// Around remembers what arrives at next.
func (w *watch) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		arrived := request{r.Method, r.URL.RequestURI(), r.Header.Clone(), nil}
		next.ServeHTTP(out, r)
		arrived.Cookies = out.Header().Values("Set-Cookie")
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, arrived)
	})
}

// Last is the newest request of a method for a path.
func (w *watch) Last(method, path string) request {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.seen) - 1; i >= 0; i-- {
		if at, _, _ := strings.Cut(w.seen[i].URL, "?"); w.seen[i].Method == method && at == path {
			return w.seen[i]
		}
	}
	w.t.Fatalf("no %s %s arrived", method, path)
	return request{}
}

// Issued notes what the service gave to a client, and no log may hold.
func (w *watch) Issued(secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.issued = append(w.issued, secret)
}

// MustKeep searches the log for what the service issued and for more secrets (LEA2).
func (w *watch) MustKeep(secrets []string) {
	w.t.Helper()
	text := w.logs.String()
	if text == "" {
		w.t.Error("nothing was logged at debug level, so nothing was searched")
	}
	for _, secret := range append(secrets, w.issued...) {
		if len(secret) >= 16 && strings.Contains(text, secret) {
			w.t.Errorf("LEA2: a secret is in the log: %s...", secret[:6])
		}
	}
}

// logs is what a program wrote; safe for concurrent use.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
