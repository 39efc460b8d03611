package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// over returns a client of a network with one handler, at app.example.
func over(h http.HandlerFunc) (*providertest.Network, *http.Client) {
	n := providertest.NewNetwork(map[string]http.Handler{"app.example": h})
	return n, &http.Client{Transport: n}
}

func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED)
}

func TestNetworkHandlerSeesARequestAsFromAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := over(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Method, " ", r.Host, " ", r.RequestURI, " tls=", r.TLS != nil, " from ", r.RemoteAddr, " ", string(body))
		})
		for url, want := range map[string]string{
			"https://app.example/a%2fb?c=d": "POST app.example /a%2fb?c=d tls=true from 192.0.2.99:50000 hello",
			"https://app.example:443/":      "POST app.example:443 / tls=true from 192.0.2.99:50000 hello",
			"http://APP.example/":           "POST APP.example / tls=false from 192.0.2.99:50000 hello",
		} {
			resp, err := client.Post(url, "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(got) != want {
				t.Errorf("%s: handler saw %q, want %q", url, got, want)
			}
		}
	})
}

func TestNetworkHostThatIsUnknownOrDownIsADialError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, client := over(func(http.ResponseWriter, *http.Request) {})
		if _, err := client.Get("https://elsewhere.example/"); !isDialError(err) {
			t.Errorf("unknown host: %v, want a dial error", err)
		}
		if _, err := client.Get("https://app.example:8443/"); !isDialError(err) {
			t.Errorf("unknown port: %v, want a dial error", err)
		}
		up := n.Down("app.example")
		if _, err := client.Get("https://app.example/"); !isDialError(err) {
			t.Errorf("host that is down: %v, want a dial error", err)
		}
		up()
		resp, err := client.Get("https://app.example/")
		if err != nil {
			t.Fatalf("host that is up again: %v", err)
		}
		resp.Body.Close()
	})
}

func TestNetworkCutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := over(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/midway" {
				w.Header().Set("Content-Length", "100")
				io.WriteString(w, "half of it")
				http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		})
		if _, err := client.Get("https://app.example/"); !errors.Is(err, io.EOF) || isDialError(err) {
			t.Errorf("cut before the answer: %v, want EOF", err)
		}
		resp, err := client.Get("https://app.example/midway")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "half of it" {
			t.Errorf("cut in the answer: %q, %v, want an unexpected EOF", body, err)
		}
	})
}

func TestNetworkHandlerRunsToItsEndWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told, finished atomic.Bool
		_, client := over(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			told.Store(true)
			time.Sleep(3 * time.Second)
			finished.Store(true)
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://app.example/", nil)
		start := time.Now()
		if _, err := client.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err %v, want the context's", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("the client waited %v, want 1s", took)
		}
		synctest.Wait()
		if !told.Load() || finished.Load() {
			t.Errorf("after the client left: handler told %v, finished %v; want true, false", told.Load(), finished.Load())
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if !finished.Load() {
			t.Error("the handler did not run to its end")
		}
	})
}

func TestNetworkStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := over(func(w http.ResponseWriter, r *http.Request) {
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
		})
		start := time.Now()
		resp, err := client.Get("https://app.example/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		buf := make([]byte, 64)
		n, _ := resp.Body.Read(buf)
		if got := string(buf[:n]); got != "data: 0\n\n" || time.Since(start) != 0 {
			t.Errorf("first read %q after %v, want the first event at once", got, time.Since(start))
		}
		io.Copy(io.Discard, resp.Body)
	})
}

func BenchmarkNetwork(b *testing.B) {
	_, client := over(func(w http.ResponseWriter, r *http.Request) {})
	for b.Loop() {
		resp, err := client.Get("https://app.example/")
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
