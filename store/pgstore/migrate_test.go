package pgstore_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)

	t.Run("nothing else makes tables", func(t *testing.T) {
		url := server.NewDatabase()
		s := open(t, url, pgstore.Config{})
		for _, call := range calls(s, "key") {
			if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "call Migrate") || !strings.Contains(err.Error(), "-migrate") {
				t.Errorf("error %v, want one that names Migrate and the flag", err)
			}
		}
		if err := s.Sweep(t.Context()); err == nil {
			t.Error("the sweep found something")
		}
		if ask[bool](t, raw(t, url), "SELECT to_regnamespace('easyauth') IS NOT NULL") {
			t.Error("there is a schema")
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		save(t, s, "key", "value")
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("what is there stays", func(t *testing.T) {
		url := migrated(t, server.NewDatabase())
		s := open(t, url, pgstore.Config{})
		saved := save(t, s, "key", "value")
		migrate(t, url, pgstore.Config{})
		if e := load(t, s, "key"); e.Version != saved.Version {
			t.Errorf("version %d, want %d", e.Version, saved.Version)
		}
	})

	// Replicas start together.
	t.Run("many at once make one set of tables", func(t *testing.T) {
		for range 5 {
			url := server.NewDatabase()
			var migrating sync.WaitGroup
			start := make(chan struct{})
			for range 8 {
				s := open(t, url, pgstore.Config{})
				migrating.Go(func() {
					<-start
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			migrating.Wait()
			save(t, open(t, url, pgstore.Config{}), "key", "value")
		}
	})

	t.Run("through a pooler it works as well", func(t *testing.T) {
		pooler := testserver.NewPgBouncer(t, server.NewDatabase(), "default_pool_size = 1")
		migrate(t, pooler.URL(), pgstore.Config{})
		save(t, open(t, pooler.URL(), pgstore.Config{}), "key", "value")
	})

	t.Run("tables of another version are refused", func(t *testing.T) {
		url := migrated(t, server.NewDatabase())
		conn := raw(t, url)
		do(t, conn, "UPDATE easyauth.meta SET format = 2")
		s := open(t, url, pgstore.Config{})
		for _, err := range []error{s.Migrate(t.Context()), s.Check(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), "has format 2, this version of easyauth knows 1") {
				t.Errorf("error %v, want the formats", err)
			}
		}
		do(t, conn, "DELETE FROM easyauth.meta")
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "has format 0, this version of easyauth knows 1") {
			t.Errorf("error %v, want the formats", err)
		}
	})

	t.Run("tables of somebody else are left alone", func(t *testing.T) {
		url := server.NewDatabase()
		conn := raw(t, url)
		do(t, conn, "CREATE SCHEMA easyauth")
		do(t, conn, "CREATE TABLE easyauth.entries AS SELECT 'theirs' AS name")
		if err := open(t, url, pgstore.Config{}).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Errorf("error %v, want that there is a table", err)
		}
		if ask[string](t, conn, "SELECT name FROM easyauth.entries") != "theirs" {
			t.Error("it was changed")
		}
		if ask[bool](t, conn, "SELECT to_regclass('easyauth.meta') IS NOT NULL") {
			t.Error("half of the work was left")
		}
	})
}

// The name of the schema is the operator's, not the attacker's, but it is one
// word to the database whatever it says.
func TestSchemaOfAnyName(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := server.NewDatabase()
	names := []string{"easyauth", "EasyAuth", "easy auth", `ea"sy; DROP SCHEMA easyauth CASCADE; --`, "ea'sy$1{schema}", strings.Repeat("s", 63)}
	for _, name := range names {
		cfg := pgstore.Config{Schema: name}
		migrate(t, url, cfg)
		s := open(t, url, cfg)
		told := watch(t, s, "key")
		save(t, s, "key", name)
		wantTold(t, told)
	}
	for _, name := range names {
		s := open(t, url, pgstore.Config{Schema: name})
		if e := load(t, s, "key"); string(e.Value) != name {
			t.Errorf("in %q: %q", name, e.Value)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("in %q: %v", name, err)
		}
	}
	s := open(t, url, pgstore.Config{Schema: strings.Repeat("s", 64)})
	for _, err := range []error{s.Migrate(t.Context()), s.Check(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "longer than 63 bytes") {
			t.Errorf("error %v, want that the name is too long", err)
		}
	}
}

// The rights are those of the package's documentation.
func TestRights(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := server.NewDatabase()
	conn := raw(t, url)
	do(t, conn, "CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN; CREATE SCHEMA easyauth AUTHORIZATION owner", pgx.QueryExecModeSimpleProtocol)
	as := func(role string) *pgstore.Store {
		return open(t, strings.Replace(url, "postgres@", role+"@", 1), pgstore.Config{})
	}

	t.Run("too few are named", func(t *testing.T) {
		for _, call := range append(calls(as("app"), "key"), as("app").Migrate) {
			if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "the role has too few rights") {
				t.Errorf("error %v, want that there are too few rights", err)
			}
		}
	})
	t.Run("who owns the schema may migrate", func(t *testing.T) {
		if err := as("owner").Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("who reads only is found out by the check", func(t *testing.T) {
		do(t, conn, "GRANT USAGE ON SCHEMA easyauth TO app; GRANT SELECT ON ALL TABLES IN SCHEMA easyauth TO app", pgx.QueryExecModeSimpleProtocol)
		if err := as("app").Check(t.Context()); err == nil || !strings.Contains(err.Error(), "the role has too few rights") {
			t.Errorf("error %v, want that there are too few rights", err)
		}
	})
	t.Run("those of the documentation are enough", func(t *testing.T) {
		do(t, conn, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA easyauth TO app")
		s := as("app")
		save(t, s, "key", "value")
		for _, call := range append(calls(s, "key")[3:], s.Migrate, s.Sweep) {
			if err := call(t.Context()); err != nil {
				t.Error(err)
			}
		}
		wantWorking(t, s, "key")
	})
}
