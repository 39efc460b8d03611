package redisstore_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, open(b, testserver.NewRedis(b).Addr()))
}

// BenchmarkLoadAgainstABareGET compares what a signed-in request asks for, a
// session of 1 KiB and its tokens of 3 KiB, with one GET of as many bytes by the
// same client. Batches of both take turns, 32 calls at a time, and their medians
// are compared, so that what else the machine does hits both.
func BenchmarkLoadAgainstABareGET(b *testing.B) {
	client := connect(b, testserver.NewRedis(b).Addr())
	s := over(b, client)
	keys := []string{"easyauth:{benchmark}:session", "easyauth:{benchmark}:grant"}
	for i, size := range []int{1 << 10, 3 << 10} {
		e := store.Entry{Value: bytes.Repeat([]byte("v"), size), ExpiresAt: time.Now().Add(time.Hour)}
		if _, err := s.Save(b.Context(), keys[i], e); err != nil {
			b.Fatal(err)
		}
	}
	if err := client.Set(b.Context(), "bare", bytes.Repeat([]byte("v"), 4<<10), 0).Err(); err != nil {
		b.Fatal(err)
	}
	const callers, calls = 32, 10
	batch := func(call func(context.Context) error) time.Duration {
		var calling sync.WaitGroup
		began := time.Now()
		for range callers {
			calling.Go(func() {
				for range calls {
					ctx, cancel := context.WithTimeout(b.Context(), 800*time.Millisecond) // as the layers above do
					err := call(ctx)
					cancel()
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		calling.Wait()
		return time.Since(began) / (callers * calls)
	}
	var gets, loads []time.Duration
	for b.Loop() {
		gets = append(gets, batch(func(ctx context.Context) error { return client.Get(ctx, "bare").Err() }))
		loads = append(loads, batch(func(ctx context.Context) error {
			_, err := s.Load(ctx, keys...)
			return err
		}))
	}
	slices.Sort(gets)
	slices.Sort(loads)
	get, load2 := gets[len(gets)/2], loads[len(loads)/2]
	b.ReportMetric(float64(get.Nanoseconds()), "ns/GET")
	b.ReportMetric(float64(load2.Nanoseconds()), "ns/Load2")
	b.ReportMetric(100*float64(get)/float64(load2), "%ofGET")
}
