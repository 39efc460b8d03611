package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

func TestWhatTheApplicationSaysArrivesAtOnce(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"server-sent events":           {"Content-Type": {"text/event-stream"}},
		"a download of unknown length": {"Content-Type": {"application/octet-stream"}},
		"a download of known length":   {"Content-Length": {fmt.Sprint(len("one\ntwo\nthree\n"))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := make(chan string)
			g := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), header)
				conn := http.NewResponseController(w)
				_ = conn.Flush()
				for event := range next {
					fmt.Fprintln(w, event)
					_ = conn.Flush()
				}
			}))
			defer close(next)
			ctx, giveUp := context.WithTimeout(t.Context(), 5*time.Second)
			defer giveUp()
			events := bufio.NewReader(do(t, get(t, g.Base+"/").WithContext(ctx)).Body)
			for _, event := range []string{"one", "two", "three"} {
				next <- event // and no more until this one is read
				if line, err := events.ReadString('\n'); line != event+"\n" {
					t.Fatalf("%q arrives as %q, %v", event, line, err)
				}
			}
		})
	}
}

// An upload is read by the application while it is sent: the second half goes
// out when the first has arrived.
func TestAnUploadIsNotCollectedFirst(t *testing.T) {
	t.Parallel()
	arrived := make(chan string)
	g := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		half := make([]byte, 5)
		for {
			n, err := io.ReadFull(r.Body, half)
			if err != nil {
				break
			}
			arrived <- string(half[:n])
		}
	}))
	body, sender := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, g.Base+"/", body)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	for _, half := range []string{"12345", "67890"} {
		fmt.Fprint(sender, half)
		if got := <-arrived; got != half {
			t.Errorf("%q arrives as %q", half, got)
		}
	}
	sender.Close()
	if err := <-done; err != nil {
		t.Errorf("the upload ends with %v", err)
	}
}

func TestALargeUploadArrivesWhole(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	g := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, r.ContentLength, err)
	}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Base+"/", io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	r.Header.Set("Expect", "100-continue")
	body, _ := io.ReadAll(do(t, r).Body)
	if want := fmt.Sprint(size, size, nil); string(body) != want {
		t.Errorf("the application got %s, want %s", body, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// echo is an application that changes the protocol to one where every line is
// said back with the name of who is signed in.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" || r.Header.Get("Sec-WebSocket-Key") == "" {
		http.Error(w, "no upgrade asked for", http.StatusBadRequest)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
	rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprintf(rw, "%s says %s", r.Header.Get("X-MS-CLIENT-PRINCIPAL-NAME"), line)
		rw.Flush()
	}
})

func TestWebSocketsPassWithTheirUser(t *testing.T) {
	t.Parallel()
	g := start(t, echo)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(g.Base+"/.auth/login/google", "ada")

	conn := dial(t, g.Base)
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\nX-MS-CLIENT-PRINCIPAL-NAME: forged\r\nCookie: %s\r\n\r\n",
		strings.TrimPrefix(g.Base, "http://"), ada.Cookies(g.Base)[0])
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("the upgrade is answered %v, %v", resp, err)
	}
	for _, line := range []string{"hello\n", "again\n"} {
		fmt.Fprint(conn, line)
		if got, err := from.ReadString('\n'); got != "ada@example.com says "+line {
			t.Fatalf("%q is answered %q, %v", line, got, err)
		}
	}
	if code := g.Stop(); code != exitOK {
		t.Errorf("with a socket open it stops with status %d: %s", code, g.Stderr)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := from.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the gateway has stopped, and the socket goes on: %v", err)
	}
}

func TestStoppingDoesNotWaitForAStreamWithoutEnd(t *testing.T) {
	t.Parallel()
	g := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	resp := do(t, get(t, g.Base+"/"))
	if code := g.Stop(); code != exitOK {
		t.Errorf("it ends with status %d: %s", code, g.Stderr)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("a stream that was cut off looks complete")
	}
}

// TestNobodyIsHurried sends half an upload, and the rest an hour later, to a
// server that is patient for a minute.
func TestNobodyIsHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &http.Server{
			ReadTimeout:  time.Minute,
			WriteTimeout: time.Minute,
			Handler: leaving(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(w, r.Body); err != nil {
					t.Errorf("the upload ends with %v", err)
				}
			})),
		}
		here, there := net.Pipe()
		conns := pipes{accept: make(chan net.Conn, 1), Conn: there}
		conns.accept <- there
		go server.Serve(conns)
		defer server.Close()

		fmt.Fprint(here, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nha")
		time.Sleep(time.Hour)
		fmt.Fprint(here, "lf")
		if body, err := io.ReadAll(answer(t, here).Body); string(body) != "half" {
			t.Errorf("the answer is %q, %v", body, err)
		}
	})
}

// pipes is a listener with one connection.
type pipes struct {
	net.Conn
	accept chan net.Conn
}

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p.accept; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p.accept); return nil }
func (p pipes) Addr() net.Addr { return p.LocalAddr() }

func answer(t *testing.T, conn net.Conn) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestOnlyWebSocketsLeaveHTTPBehind: an application that answers an offer of h2c
// with 101 would be asked from then on by the client itself, with whatever
// headers it likes.
func TestOnlyWebSocketsLeaveHTTPBehind(t *testing.T) {
	t.Parallel()
	tunnel := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offered := r.Header.Get("Upgrade")
		if offered == "" {
			fmt.Fprintf(w, "%q %q", r.Header["Connection"], r.Header["Http2-Settings"])
			return
		}
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", offered)
			conn.Close()
		}
	})
	g := start(t, tunnel)
	for _, row := range []struct {
		upgrade string
		status  int
	}{
		{"h2c", http.StatusOK},
		{"TLS/1.0", http.StatusOK},
		{"h2c, websocket", http.StatusOK},
		{"made-up", http.StatusOK},
		{"websocket", http.StatusSwitchingProtocols},
		{"WebSocket", http.StatusSwitchingProtocols},
	} {
		conn := dial(t, g.Base)
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", row.upgrade)
		resp := answer(t, conn)
		if resp.StatusCode != row.status {
			t.Errorf("%s is answered %d, want %d", row.upgrade, resp.StatusCode, row.status)
			continue
		}
		if row.status == http.StatusOK {
			if body, _ := io.ReadAll(resp.Body); string(body) != "[] []" {
				t.Errorf("with %s the application sees %s", row.upgrade, body)
			}
		}
	}
}
