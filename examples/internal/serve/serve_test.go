package serve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/serve"
)

func TestARunningRequestIsAnsweredBeforeTheEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopping, served := make(chan struct{}), make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stop()
		<-stopping // the end has begun
		if r.Context().Err() == nil {
			io.WriteString(w, "answered")
		}
	})
	go func() { served <- serve.HTTP(ctx, listener, handler, func() { close(stopping) }) }()

	resp, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "answered" {
		t.Errorf("the request is answered %q", body)
	}
	if err := <-served; err != nil {
		t.Errorf("the server ends with %v", err)
	}
}

func TestAServerThatCannotListenSaysSo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := serve.HTTP(t.Context(), listener, http.NotFoundHandler()); err == nil {
		t.Error("a closed listener is no error")
	}
}
