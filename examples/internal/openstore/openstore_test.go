package openstore_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/openstore"
	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store"
)

// TestEveryStoreThatCanBeNamedIsOpened writes an entry and finds it again where
// the store outlives what opened it.
func TestEveryStoreThatCanBeNamedIsOpened(t *testing.T) {
	for kind, spec := range map[string]func(t *testing.T) openstore.Spec{
		"memory": func(*testing.T) openstore.Spec { return openstore.Spec{Store: "memory"} },
		"sqlite": func(t *testing.T) openstore.Spec {
			return openstore.Spec{Store: "sqlite:" + filepath.Join(t.TempDir(), "db")}
		},
		"redis": func(t *testing.T) openstore.Spec {
			return openstore.Spec{Store: testserver.NewRedis(t).URL()}
		},
		"redis sentinel": func(t *testing.T) openstore.Spec {
			sentinel := testserver.NewSentinel(t)
			addrs := sentinel.Addrs()
			return openstore.Spec{Store: "redis+sentinel://" + addrs[0] + "?master_name=" + sentinel.Name + "&addr=" + strings.Join(addrs[1:], "&addr=")}
		},
		"redis cluster": func(t *testing.T) openstore.Spec {
			addrs := testserver.NewCluster(t).Addrs()
			return openstore.Spec{Store: "redis+cluster://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")}
		},
		"postgres": func(t *testing.T) openstore.Spec {
			return openstore.Spec{Store: testserver.NewPostgres(t).URL(), Migrate: true}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			where := spec(t)
			mustSave(t, where)
			where.Migrate = false
			entry := mustLoad(t, where)
			if kept := entry.Version != 0; kept != where.Lasting() {
				t.Errorf("opened again, it is there: %v; lasting: %v", kept, where.Lasting())
			}
			if file := where.File(); (file != "") != (kind == "sqlite") {
				t.Errorf("its file is %q", file)
			}
		})
	}
}

func TestPostgresThatIsNotPreparedSaysHow(t *testing.T) {
	t.Parallel()
	_, _, err := openstore.Open(t.Context(), openstore.Spec{Store: testserver.NewPostgres(t).URL()})
	if err == nil || !strings.Contains(err.Error(), "-migrate") {
		t.Errorf("%v, want to be told of -migrate", err)
	}
}

// TestAServerThatDoesNotAnswerIsGivenUp connects to one that never says a word.
func TestAServerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	silent := testserver.NewProxy(t, "127.0.0.1:1")
	silent.HalfOpen()
	for _, scheme := range []string{"redis://", "postgres://me:hush@"} {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, _, err := openstore.Open(ctx, openstore.Spec{Store: scheme + silent.Addr() + "/0"})
		cancel()
		if took := time.Since(began); err == nil || took > 3*time.Second || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v after %s", scheme, err, took)
		}
	}
}

func TestNoTextShowsThePassword(t *testing.T) {
	for _, address := range []string{
		"redis://me:hush@127.0.0.1:6379/0",
		"redis+sentinel://me:hush@127.0.0.1:26379?master_name=m",
		"postgres://me:hush@127.0.0.1:5432/app",
		"postgres://me:hush@127.0.0.1:none/app",
		"postgres://me:hu%zzsh@127.0.0.1/app",
		"redis://me:hush@127.0.0.1:6379/nine",
		"redis+raft://me:hush@127.0.0.1:6379",
		"etcd://me:hush@127.0.0.1",
	} {
		spec := openstore.Spec{Store: address}
		said := spec.String()
		if err := spec.Check(); err != nil {
			said += err.Error()
		}
		if strings.Contains(said, "hush") || strings.Contains(said, "zzsh") {
			t.Errorf("of %s it says %q", address, said)
		}
	}
}

const key = "easyauth:{openstore}:test"

func mustSave(t *testing.T, where openstore.Spec) {
	t.Helper()
	st, opened, err := openstore.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := st.Save(t.Context(), key, store.Entry{Value: []byte("kept"), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, where openstore.Spec) store.Entry {
	t.Helper()
	st, opened, err := openstore.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := st.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	return entries[0]
}
