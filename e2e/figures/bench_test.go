package figures_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// BenchmarkSignedInRequest compares the signed-in requests per second of an
// application with those of one whose handler does nothing but read one row: of
// as many bytes, by the same client, from the same server, in the same run. It
// does so for the handlers alone and for whole requests to an HTTP server.
func BenchmarkSignedInRequest(b *testing.B) {
	b.Run("Redis", func(b *testing.B) {
		client := connectRedis(b, testserver.NewRedis(b).Addr())
		st := openRedis(b, client)
		compare(b, st, func(row []byte) func(context.Context) ([]byte, error) {
			if err := client.Set(b.Context(), "bare", row, 0).Err(); err != nil {
				b.Fatal(err)
			}
			return func(ctx context.Context) ([]byte, error) { return client.Get(ctx, "bare").Bytes() }
		})
	})
	b.Run("Postgres", func(b *testing.B) {
		pool := connectPostgres(b, testserver.NewPostgres(b).URL())
		st := openPostgres(b, pool)
		if err := st.Migrate(b.Context()); err != nil {
			b.Fatal(err)
		}
		compare(b, st, func(row []byte) func(context.Context) ([]byte, error) {
			const table = "CREATE TABLE bare (key text PRIMARY KEY, value bytea)"
			if _, err := pool.Exec(b.Context(), table); err != nil {
				b.Fatal(err)
			}
			if _, err := pool.Exec(b.Context(), "INSERT INTO bare VALUES ($1, $2)", "bare", row); err != nil {
				b.Fatal(err)
			}
			return func(ctx context.Context) (value []byte, err error) {
				err = pool.QueryRow(ctx, "SELECT value FROM bare WHERE key = $1", "bare").Scan(&value)
				return value, err
			}
		})
	})
}

// BenchmarkMiddleware is what the middleware costs where the store costs next to
// nothing (R23).
func BenchmarkMiddleware(b *testing.B) {
	h := newHouse(b, easyauth.Config{}, memstore.New())
	v := h.SignIn(h.replicas[0], "ada", fresh)
	for _, path := range []string{"/account", "/mail"} {
		b.Run(path[1:], func(b *testing.B) {
			w, r := &discard{make(http.Header)}, v.request(path)
			b.ReportAllocs()
			for b.Loop() {
				h.replicas[0].app.ServeHTTP(w, r)
			}
		})
	}
}

// contender is a handler that is measured, and a request for it.
type contender struct {
	name    string
	handler http.Handler
	visitor visitor
	path    string
}

// compare makes the comparison on one store. bare stores a row and returns what
// reads it.
func compare(b *testing.B, st store.Store, bare func(row []byte) func(context.Context) ([]byte, error)) {
	h := newHouse(b, easyauth.Config{}, st)
	v := h.SignIn(h.replicas[0], "ada", fresh)
	row := bytes.Repeat([]byte("x"), v.bytes(b, st))
	read := bare(row)
	reader := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if value, err := read(r.Context()); err != nil || len(value) != len(row) {
			http.Error(w, "not read", http.StatusInternalServerError)
		}
	})
	contenders := []contender{
		{"bare", reader, visitor{}, "/"},
		{"Require", h.replicas[0].app, v, "/account"},
		{"RequireToken", h.replicas[0].app, v, "/mail"},
	}
	b.Run("handler", func(b *testing.B) { race(b, contenders, (*contender).called) })
	b.Run("request", func(b *testing.B) { race(b, contenders, (*contender).served) })
}

// bytes is how much is stored of the visitor.
func (v visitor) bytes(b *testing.B, st store.Store) (n int) {
	rows, err := st.Load(b.Context(), "easyauth:{"+v.session.ID+"}:session", "easyauth:{"+v.session.ID+"}:grant")
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range rows {
		if row.Version == 0 {
			b.Fatal("the rows are not where they were expected")
		}
		n += len(row.Value)
	}
	return n
}

// race lets the contenders take turns, a short batch of parallel calls each, so
// that what else the machine does hits all of them, and compares the median
// batch of the others with that of the first.
func race(b *testing.B, contenders []contender, open func(*contender, *testing.B) func() func() int) {
	const callers, calls = 32, 10
	batches := make([]func() time.Duration, len(contenders))
	for i := range contenders {
		caller := open(&contenders[i], b)
		var callings [callers]func() int
		for j := range callings {
			callings[j] = caller()
		}
		batches[i] = func() time.Duration {
			began := time.Now()
			var all sync.WaitGroup
			for _, call := range callings {
				all.Go(func() {
					for range calls {
						if status := call(); status != http.StatusOK {
							b.Errorf("%s: answered %d", contenders[i].name, status)
							return
						}
					}
				})
			}
			all.Wait()
			return time.Since(began)
		}
		batches[i]() // connections are opened, caches filled
	}
	took := make([]spread, len(contenders))
	for b.Loop() {
		for i, batch := range batches {
			took[i] = append(took[i], batch())
		}
	}
	for i, c := range contenders {
		median := took[i].quantile(0.5)
		b.ReportMetric(callers*calls/median.Seconds(), c.name+"/s")
		if i > 0 {
			b.ReportMetric(100*ratio(took[0].quantile(0.5), median), "%"+c.name)
		}
	}
	b.ReportMetric(0, "ns/op") // which would be all of them together
}

// called returns what makes callers of the handler itself.
func (c *contender) called(b *testing.B) func() func() int {
	ctx, cancel := context.WithCancel(context.Background()) // as a server's requests can be cancelled
	b.Cleanup(cancel)
	return func() func() int {
		r := c.visitor.request(c.path).WithContext(ctx)
		return func() int {
			w := &status{discard{make(http.Header)}, http.StatusOK}
			c.handler.ServeHTTP(w, r)
			return w.code
		}
	}
}

// served returns what makes clients of an HTTP server, with a connection each.
func (c *contender) served(b *testing.B) func() func() int {
	server := httptest.NewServer(c.handler)
	b.Cleanup(server.Close)
	return func() func() int {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		var wire bytes.Buffer
		r := c.visitor.request(c.path)
		if err := r.Write(&wire); err != nil {
			b.Fatal(err)
		}
		answers := bufio.NewReader(conn)
		return func() int {
			if _, err := conn.Write(wire.Bytes()); err != nil {
				return 0
			}
			resp, err := http.ReadResponse(answers, r)
			if err != nil {
				return 0
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return 0
			}
			return resp.StatusCode
		}
	}
}

// status is a ResponseWriter that remembers what was answered, and nothing else.
type status struct {
	discard
	code int
}

func (s *status) WriteHeader(code int) { s.code = code }
