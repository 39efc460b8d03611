package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/redisstore"
)

// R8: a server that accepts and never answers costs the deadline, whatever the
// client thinks of deadlines.
func TestR8SilentServerCostsTheDeadline(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	for name, heeds := range map[string]bool{"heeding": true, "as-it-comes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := testserver.NewProxy(t, server.Addr())
			client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: heeds, ReadTimeout: 3 * time.Second})
			t.Cleanup(func() { client.Close() })
			s := over(t, client)
			key := "easyauth:" + name
			saved := save(t, s, key, "value")
			proxy.HalfOpen()
			for call, f := range calls(s, key, saved) {
				wantDeadline(t, call, 100*time.Millisecond, f)
			}
			for range 50 { // more than the client has connections for
				go s.Load(t.Context(), key)
			}
			wantDeadline(t, "Load while many wait", 100*time.Millisecond, calls(s, key, saved)["Load"])
			proxy.Heal()
			until(t, func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				e, err := s.Load(ctx, key)
				return err == nil && e[0].Version == saved.Version
			})
		})
	}
}

// The client gives the deadline to the connection as well, which may be quicker
// to tell than the context.
func TestDeadlineThatTheConnectionSeesFirst(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	save(t, s, "easyauth:key", "value")
	proxy.HalfOpen()
	ctx := late{t.Context(), time.Now().Add(50 * time.Millisecond)}
	if _, err := s.Load(ctx, "easyauth:key"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Load: %v, want context.DeadlineExceeded", err)
	}
}

// late is a context that does not know that its deadline is over.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

// R8: however many requests a silent server keeps waiting, they leave nothing
// behind but the few goroutines that wait for the next.
func TestR8GoroutinesGoWithTheirRequests(t *testing.T) {
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	save(t, s, "easyauth:key", "value")
	before := runtime.NumGoroutine()
	proxy.HalfOpen()
	var asking sync.WaitGroup
	for range 1000 {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := s.Load(ctx, "easyauth:key"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Load: %v", err)
			}
		})
	}
	asking.Wait()
	proxy.Heal()
	load(t, s, "easyauth:key")
	const kept = 32 + 40 // those that wait for work, and what the client and the proxy need for connections
	until(t, func() bool { return runtime.NumGoroutine() <= before+kept })
}

// A disconnect is noticed at once where the deadline is far, although the client
// looks at deadlines only.
func TestCancellationEndsACallThatWaits(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	saved := save(t, s, "easyauth:key", "value")
	proxy.HalfOpen()
	for name, call := range calls(s, "easyauth:key", saved) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		time.AfterFunc(20*time.Millisecond, cancel)
		began := time.Now()
		if err := call(ctx); !errors.Is(err, context.Canceled) || time.Since(began) > time.Second {
			t.Errorf("%s: %v after %v, want context.Canceled soon after 20ms", name, err, time.Since(began))
		}
	}
}

// A Save under way when its context ends is given a moment to say what it did.
func TestSaveThatIsCancelledMostlyKnows(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	e := save(t, s, "easyauth:key", "value")
	proxy.DelayAnswers(5 * time.Millisecond)
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		time.AfterFunc(time.Millisecond, func() { cancel(); close(stopped) })
		saved, err := s.Save(ctx, "easyauth:key", e)
		<-stopped
		if err == nil && saved.Version == load(t, s, "easyauth:key").Version {
			return
		}
		e = load(t, s, "easyauth:key")
	}
	t.Error("of a hundred none knew")
}

// calls are all there are, with what they need.
func calls(s *redisstore.Store, key string, saved store.Entry) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Load":   func(ctx context.Context) error { _, err := s.Load(ctx, key); return err },
		"Save":   func(ctx context.Context) error { _, err := s.Save(ctx, key, saved); return err },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, key) },
		"Tagged": func(ctx context.Context) error { _, err := s.Tagged(ctx, "tag"); return err },
		"Watch":  func(ctx context.Context) error { _, err := s.Watch(ctx, key); return err },
		"Check":  s.Check,
	}
}

func wantDeadline(t *testing.T, name string, within time.Duration, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	began := time.Now()
	if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > within+900*time.Millisecond {
		t.Errorf("%s: %v after %v, want the deadline after %v", name, err, time.Since(began), within)
	}
}

// The client would send a Save again whose answer was lost, and be told that
// somebody else was faster.
func TestSaveWhoseAnswerIsLostIsNoConflict(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	e := store.Entry{Value: []byte("first"), ExpiresAt: time.Now().Add(time.Hour)}
	for _, value := range []string{"created", "replaced", "replaced again"} {
		e.Value = []byte(value)
		proxy.LoseNextAnswer()
		saved, err := s.Save(t.Context(), "easyauth:key", e)
		if err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		if got := load(t, s, "easyauth:key"); got.Version != saved.Version || string(got.Value) != value {
			t.Errorf("%s: %q with version %d is stored, Save said %d", value, got.Value, got.Version, saved.Version)
		}
		e = saved
	}
}

// ErrConflict promises that nothing was written. Where the first answer was lost
// and the entry has changed by the second time, nobody knows.
func TestSaveThatMayHaveWonIsNoConflict(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	client := connect(t, proxy.Addr())
	s, other := over(t, client), open(t, server.Addr())
	e := save(t, s, "easyauth:key", "value")
	client.AddHook(afterFailure(func() {
		won := load(t, other, "easyauth:key")
		if string(won.Value) != "mine" {
			t.Errorf("%q is stored, want the Save whose answer was lost", won.Value)
		}
		won.Value = []byte("theirs")
		if _, err := other.Save(t.Context(), "easyauth:key", won); err != nil {
			t.Error(err)
		}
	}))
	e.Value = []byte("mine")
	proxy.LoseNextAnswer()
	_, err := s.Save(t.Context(), "easyauth:key", e)
	if err == nil || errors.Is(err, store.ErrConflict) || err.Error() != "redisstore: save: the answer was lost, and the entry has changed" {
		t.Errorf("Save: %v", err)
	}
	if _, err := s.Save(t.Context(), "easyauth:key", e); err != store.ErrConflict {
		t.Errorf("Save again: %v, want a conflict", err)
	}
}

// afterFailure is a hook of the client that calls itself when a command failed
// on its way.
type afterFailure func()

func (afterFailure) DialHook(next redis.DialHook) redis.DialHook { return next }

func (afterFailure) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (f afterFailure) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		var refused redis.Error
		if err != nil && !errors.As(err, &refused) {
			f()
		}
		return err
	}
}

func TestAnswerThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	s := over(t, client)
	value := strings.Repeat("value", 1000)
	one, two := save(t, s, "easyauth:{key}:one", value), save(t, s, "easyauth:{key}:two", value)
	for n := 0; n < 2*len(value); n += 499 {
		load(t, s, "easyauth:{key}:one") // a connection that is ready
		proxy.Truncate(n)
		if entries, err := s.Load(t.Context(), "easyauth:{key}:one", "easyauth:{key}:two"); err == nil {
			t.Errorf("%d bytes are an answer: %v", n, entries)
		}
		proxy.Heal()
	}
	entries, err := s.Load(t.Context(), "easyauth:{key}:one", "easyauth:{key}:two")
	if err != nil || entries[0].Version != one.Version || !bytes.Equal(entries[1].Value, two.Value) {
		t.Errorf("afterwards: %v", err)
	}
}

// R7: a server that refuses to write is an outage and no conflict, and what is
// there can be read.
func TestR7ServerThatRefusesWrites(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ refuse, accept []string }{
		"master without replicas": {[]string{"CONFIG", "SET", "min-replicas-to-write", "1"}, []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"replica":                 {[]string{"REPLICAOF", "127.0.0.1", "1"}, []string{"REPLICAOF", "NO", "ONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testserver.NewRedis(t)
			s := open(t, server.Addr())
			e := save(t, s, "easyauth:key", "value")
			server.Do(tt.refuse...)
			for _, version := range []uint64{e.Version, 0, 1} {
				refused := e
				refused.Version = version
				_, err := s.Save(t.Context(), "easyauth:key", refused)
				if err == nil || errors.Is(err, store.ErrConflict) {
					t.Errorf("Save with version %d: %v, want an outage", version, err)
				}
			}
			if err := s.Delete(t.Context(), "easyauth:key"); err == nil {
				t.Error("Delete said that it deleted")
			}
			if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "must be a master") {
				t.Errorf("Check: %v, want the remedy", err)
			}
			if got := load(t, s, "easyauth:key"); got.Version != e.Version {
				t.Errorf("version %d, want %d", got.Version, e.Version)
			}
			server.Do(tt.accept...)
			if _, err := s.Save(t.Context(), "easyauth:key", e); err != nil {
				t.Errorf("Save once writes are taken again: %v", err)
			}
		})
	}
}

// A full server refuses what is new. It must still be possible to sign out.
func TestFullServerTakesDeletesOnly(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	e := save(t, s, "easyauth:key", "value")
	server.Do("CONFIG", "SET", "maxmemory", "1mb")
	if _, err := s.Save(t.Context(), "easyauth:key", e); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("Save: %v, want out of memory", err)
	}
	if got := load(t, s, "easyauth:key"); got.Version != e.Version {
		t.Errorf("version %d, want %d", got.Version, e.Version)
	}
	if err := s.Delete(t.Context(), "easyauth:key"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if got := load(t, s, "easyauth:key"); got.Version != 0 {
		t.Error("the entry is there")
	}
}

// R7: after a restart that lost everything the keys are absent, and nothing that
// somebody holds is taken for what is stored. The scripts are gone as well.
func TestR7ServerThatRestartsEmpty(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	before := save(t, s, "easyauth:key", "before", "easyauth:tag")
	server.Restart()
	if _, err := s.Save(t.Context(), "easyauth:key", before); err != store.ErrConflict {
		t.Errorf("Save of what was before: %v, want a conflict", err)
	}
	if got := load(t, s, "easyauth:key"); got.Version != 0 {
		t.Errorf("version %d, want absent", got.Version)
	}
	if keys, err := s.Tagged(t.Context(), "easyauth:tag"); err != nil || len(keys) != 0 {
		t.Errorf("Tagged = %q, %v", keys, err)
	}
	after := save(t, s, "easyauth:key", "after", "easyauth:tag")
	if after.Version == before.Version {
		t.Error("the version came back")
	}
	server.Do("SCRIPT", "FLUSH")
	if err := s.Delete(t.Context(), "easyauth:key"); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

// A server that is gone is an error soon, and works as soon as it is back.
func TestServerThatIsDown(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	e := save(t, s, "easyauth:key", "value")
	proxy.Reset()
	for name, call := range calls(s, "easyauth:key", e) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		err := call(ctx)
		if err == nil || errors.Is(err, store.ErrConflict) || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
		cancel()
	}
	proxy.Heal()
	if got := load(t, s, "easyauth:key"); got.Version != e.Version {
		t.Errorf("version %d, want %d", got.Version, e.Version)
	}
	if _, err := s.Save(t.Context(), "easyauth:key", e); err != nil {
		t.Error(err)
	}
}

func TestSlowServerIsNoError(t *testing.T) {
	t.Parallel()
	proxy := testserver.NewProxy(t, testserver.NewRedis(t).Addr())
	s := open(t, proxy.Addr())
	proxy.Delay(50 * time.Millisecond)
	e := save(t, s, "easyauth:key", "value", "easyauth:tag")
	if got := load(t, s, "easyauth:key"); got.Version != e.Version {
		t.Errorf("version %d, want %d", got.Version, e.Version)
	}
}

// Whoever makes a key stay for ever does not make the session stay.
func TestEntryPastItsTimeIsAbsent(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	saveFor(t, s, "easyauth:key", 200*time.Millisecond)
	server.Do("PERSIST", "easyauth:key")
	until(t, func() bool { return load(t, s, "easyauth:key").Version == 0 })
	if server.Do("EXISTS", "easyauth:key") != "1" {
		t.Error("the key is gone, which proves nothing")
	}
}

// STO2: what is no entry, or one of another version of easyauth, is an error and
// not a stranger, and is not replaced.
func TestSTO2KeyThatHoldsSomethingElse(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	s := open(t, server.Addr())
	save(t, s, "easyauth:key", "", "easyauth:user")
	record := server.Do("GET", "easyauth:key")
	others := []string{"\x02" + record[1:], strings.Repeat("text", 20)}
	for n := 2; n < len(record); n++ {
		others = append(others, record[:n])
	}
	for _, other := range others {
		server.Do("SET", "easyauth:other", other)
		if e, err := s.Load(t.Context(), "easyauth:other"); err == nil {
			t.Errorf("%q is an entry: %v", other, e)
		}
		if _, err := s.Save(t.Context(), "easyauth:other", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}); err == nil {
			t.Errorf("%q was replaced", other)
		}
	}
	server.Do("LPUSH", "easyauth:list", "x")
	if _, err := s.Save(t.Context(), "easyauth:list", store.Entry{ExpiresAt: time.Now().Add(time.Hour)}); err == nil || errors.Is(err, store.ErrConflict) {
		t.Errorf("Save over a list: %v", err)
	}
}
