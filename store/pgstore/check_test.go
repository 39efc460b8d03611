package pgstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/testserver"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

// What else Check finds is tested where it is the matter: TestMigrate, TestRights,
// TestServerThatRefusesWrites.
func TestCheckFindsClocksApart(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	conn := raw(t, url)
	do(t, conn, "CREATE SCHEMA skewed")
	for skew, says := range map[string]string{
		"5 minutes":   "clock is 5m0s from this machine's: synchronise both",
		"-5 minutes":  "clock is -5m0s from this machine's: synchronise both",
		"30 seconds":  "",
		"-30 seconds": "",
	} {
		do(t, conn, `CREATE OR REPLACE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql
			AS $$ SELECT pg_catalog.clock_timestamp() + interval '`+skew+`' $$`)
		s := open(t, url+"&search_path=skewed,pg_catalog", pgstore.Config{})
		err := s.Check(t.Context())
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: error %v, want %q", skew, err, says)
		}
	}
}

// The clock of the machine says nothing: sessions are judged by the server's,
// which all replicas share.
func TestTheServersClockDecides(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	url := migrated(t, server.NewDatabase())
	conn := raw(t, url)
	do(t, conn, "CREATE SCHEMA skewed")
	do(t, conn, `CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql
		AS $$ SELECT pg_catalog.clock_timestamp() + interval '2 hours' $$`)
	s := open(t, url, pgstore.Config{})
	ahead := open(t, url+"&search_path=skewed,pg_catalog", pgstore.Config{})
	saved := save(t, s, "key", "value", "tag")
	if e := load(t, ahead, "key"); e.Version != 0 || e.Now.Before(saved.ExpiresAt) {
		t.Errorf("an hour after its end the entry has version %d, at %v", e.Version, e.Now)
	}
	if keys, err := ahead.Tagged(t.Context(), "tag"); err != nil || keys != nil {
		t.Errorf("Tagged: %q, %v", keys, err)
	}
	if _, err := ahead.Save(t.Context(), "key", saved); err == nil || !strings.Contains(err.Error(), "expires in the past") {
		t.Errorf("Save: %v, want that it expires in the past", err)
	}
	if e := load(t, s, "key"); e.Version != saved.Version {
		t.Errorf("version %d, want %d", e.Version, saved.Version)
	}
	saved.Version, saved.ExpiresAt = 0, time.Now().Add(3*time.Hour)
	if _, err := ahead.Save(t.Context(), "key", saved); err != nil {
		t.Errorf("Save in the place of what has expired: %v", err)
	}
}
