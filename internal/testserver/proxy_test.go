package testserver_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

const (
	soon = 10 * time.Second       // what must happen does within
	not  = 100 * time.Millisecond // what must not happen does not within
)

func TestProxyPassesOnBothWays(t *testing.T) {
	server := startEcho(t)
	proxy := testserver.NewProxy(t, server.addr)
	c := dial(t, proxy)
	large := bytes.Repeat([]byte("0123456789"), 100_000)
	go func() {
		c.Write(large)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes came back, %v; want the %d that were sent", len(got), err, len(large))
	}
}

func TestProxyCountsConnectionsAndRoundTrips(t *testing.T) {
	proxy := testserver.NewProxy(t, startEcho(t).addr)
	for i := range 3 {
		c := dial(t, proxy)
		for j := range 2 {
			ask(t, c, "one call")
			if got, want := proxy.RoundTrips(), 2*i+j+1; got != want {
				t.Errorf("after call %d: %d round trips", want, got)
			}
		}
		if got := proxy.Connections(); got != i+1 {
			t.Errorf("%d connections, want %d", got, i+1)
		}
	}
}

func TestProxyDelaysRequestsBeforeTheServerHasThem(t *testing.T) {
	server := startEcho(t)
	proxy := testserver.NewProxy(t, server.addr)
	c := dial(t, proxy)
	proxy.Delay(50 * time.Millisecond)
	began := time.Now()
	ask(t, c, "call")
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("the answer came after %v", took)
	}

	proxy.Delay(time.Hour)
	server.received.Store(0)
	write(t, c, "late")
	wantSilence(t, c)
	if n := server.received.Load(); n != 0 {
		t.Errorf("the server has %d bytes of a delayed request", n)
	}
	proxy.Heal()
	want(t, c, "late")
}

func TestProxyDelaysAnswersAfterTheServerHasTheRequest(t *testing.T) {
	server := startEcho(t)
	proxy := testserver.NewProxy(t, server.addr)
	c := dial(t, proxy)
	proxy.DelayAnswers(time.Hour)
	write(t, c, "late")
	wantSilence(t, c)
	if n := server.received.Load(); n != 4 {
		t.Errorf("the server has %d bytes of the request, want 4", n)
	}
	proxy.Heal()
	want(t, c, "late")
}

func TestProxyHalfOpenSwallowsUntilHealed(t *testing.T) {
	server := startEcho(t)
	proxy := testserver.NewProxy(t, server.addr)
	before := dial(t, proxy)
	ask(t, before, "call")
	idle := dial(t, proxy)
	ask(t, idle, "call")
	proxy.HalfOpen()
	within := dial(t, proxy)
	for _, c := range []*net.TCPConn{before, within} {
		write(t, c, "swallowed")
		wantSilence(t, c)
	}
	if n := server.received.Load(); n != 8 {
		t.Errorf("the server has %d bytes, want the 8 of before", n)
	}
	proxy.Heal()
	for _, c := range []*net.TCPConn{before, within} {
		wantReset(t, c)
	}
	ask(t, idle, "lost nothing")
	ask(t, dial(t, proxy), "new")
}

func TestProxyLosesAnswersToWhatWasDone(t *testing.T) {
	server := startEcho(t)
	proxy := testserver.NewProxy(t, server.addr)
	proxy.LoseAnswers()
	for i := range 2 {
		c := dial(t, proxy)
		write(t, c, "done")
		wantReset(t, c)
		if n := server.received.Load(); n != int64(i+1)*4 {
			t.Errorf("the server has %d bytes", n)
		}
	}
	proxy.LoseNextAnswer()
	c := dial(t, proxy)
	write(t, c, "done")
	wantReset(t, c)
	ask(t, dial(t, proxy), "answered")
}

func TestProxyTruncatesAnAnswer(t *testing.T) {
	proxy := testserver.NewProxy(t, startEcho(t).addr)
	proxy.Truncate(3)
	c := dial(t, proxy)
	ask(t, c, "abc")
	ask(t, c, "def") // each answer has its own three bytes
	write(t, c, "ghijk")
	got, err := io.ReadAll(c)
	if string(got) != "ghi" && len(got) != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v; want at most three bytes and a reset", got, err)
	}
}

func TestProxyResetsEveryConnectionUntilHealed(t *testing.T) {
	proxy := testserver.NewProxy(t, startEcho(t).addr)
	c := dial(t, proxy)
	ask(t, c, "call")
	proxy.Reset()
	wantReset(t, c)
	wantRefused(t, proxy)
	proxy.Heal()
	ask(t, dial(t, proxy), "call")
}

func TestProxyCutsOnce(t *testing.T) {
	proxy := testserver.NewProxy(t, startEcho(t).addr)
	c := dial(t, proxy)
	ask(t, c, "call")
	proxy.Cut()
	wantReset(t, c)
	ask(t, dial(t, proxy), "call")
}

func TestProxyWithoutAServerResets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	wantRefused(t, testserver.NewProxy(t, l.Addr().String()))
}

func TestProxyEndsWithItsTest(t *testing.T) {
	server := startEcho(t)
	before := runtime.NumGoroutine()
	var addr string
	t.Run("inner", func(t *testing.T) {
		proxy := testserver.NewProxy(t, server.addr)
		addr = proxy.Addr()
		for range 5 {
			ask(t, dial(t, proxy), "call")
		}
		proxy.Delay(time.Hour)
		write(t, dial(t, proxy), "never")
	})
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the proxy still listens")
	}
	for deadline := time.Now().Add(soon); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// echo is a server that sends back what it gets.
type echo struct {
	addr     string
	received atomic.Int64
}

func startEcho(t *testing.T) *echo {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &echo{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(io.MultiWriter(e, c), c)
			}()
		}
	}()
	return e
}

func (e *echo) Write(p []byte) (int, error) {
	e.received.Add(int64(len(p)))
	return len(p), nil
}

func dial(t *testing.T, proxy *testserver.Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(soon))
	return c.(*net.TCPConn)
}

func ask(t *testing.T, c net.Conn, text string) {
	t.Helper()
	write(t, c, text)
	want(t, c, text)
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}

func wantSilence(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(not))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v; want silence", n, err)
	}
	c.SetReadDeadline(time.Now().Add(soon))
}

func wantReset(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes, %v; want a reset", n, err)
	}
}

// wantRefused checks that a new connection is reset, at once or when it is used.
func wantRefused(t *testing.T, proxy *testserver.Proxy) {
	t.Helper()
	c, err := net.Dial("tcp", proxy.Addr())
	if err == nil {
		defer c.Close()
		c.SetDeadline(time.Now().Add(soon))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection: %v, want a reset", err)
	}
}
