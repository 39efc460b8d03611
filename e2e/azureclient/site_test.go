package azureclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

// startSite serves the pages of testdata at an origin of their own, and returns
// it: on TLS if there is a certificate.
func startSite(t testing.TB, cert *certificate) string {
	t.Helper()
	server, scheme := httptest.NewUnstartedServer(pages(t)), "http"
	if cert == nil {
		server.Start()
	} else {
		scheme = "https"
		server.TLS = &tls.Config{Certificates: []tls.Certificate{cert.Certificate}}
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return fmt.Sprintf("%s://localhost:%d", scheme, server.Listener.Addr().(*net.TCPAddr).Port)
}

// pages are those of testdata, with the client.
func pages(t testing.TB) http.Handler {
	t.Helper()
	script := bundle(t)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("/client.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "client.js", time.Time{}, bytes.NewReader(script))
	})
	return mux
}

// bundle returns the client as a script for pages.
func bundle(t testing.TB) []byte {
	t.Helper()
	parts.Node.Need(t)
	parts.AzureClient.Need(t)
	script, err := bundled()
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// bundled is made once for all tests: it takes two seconds.
var bundled = sync.OnceValues(func() ([]byte, error) {
	node, err := parts.Node.Bring(context.Background())
	if err != nil {
		return nil, err
	}
	packages, err := parts.AzureClient.Bring(context.Background())
	if err != nil {
		return nil, err
	}
	packages = filepath.Join(packages, "node_modules")
	cmd := exec.Command(node, filepath.Join(packages, "browserify", "bin", "cmd.js"), filepath.Join("testdata", "page.js"), "--standalone", "azure")
	cmd.Env = append(os.Environ(), "NODE_PATH="+packages)
	return cmd.Output()
})
