package testserver_test

import (
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/testserver"
)

func TestPostgresKeepsItsDataWhenItIsKilled(t *testing.T) {
	t.Parallel()
	p := testserver.NewPostgres(t, "max_connections=7")
	if got := p.Do("SHOW max_connections"); got != "7" {
		t.Errorf("max_connections: %q", got)
	}
	p.Do("CREATE TABLE kept AS SELECT 'a' AS a UNION SELECT 'b' ORDER BY 1")
	p.Kill()
	wantRefused(t, testserver.NewProxy(t, p.Addr()))
	p.Restart()
	if got := p.Do("TABLE kept"); got != "a\nb" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestPostgresEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var addr string
	t.Run("inner", func(t *testing.T) { addr = testserver.NewPostgres(t).Addr() })
	wantRefused(t, testserver.NewProxy(t, addr))
}

func TestPostgresDatabasesAreApart(t *testing.T) {
	t.Parallel()
	p := testserver.NewPostgres(t)
	one, two := p.NewDatabase(), p.NewDatabase()
	if one == two || one == p.URL() || !strings.Contains(one, p.Addr()) {
		t.Errorf("databases %s and %s of %s", one, two, p.URL())
	}
}

// The startup of a client is answered by the pooler itself, not by the server.
func TestPgBouncerAnswersForItsServer(t *testing.T) {
	t.Parallel()
	p := testserver.NewPostgres(t)
	b := testserver.NewPgBouncer(t, p.NewDatabase(), "max_client_conn = 50")
	if !strings.Contains(b.URL(), b.Addr()) || strings.Contains(b.URL(), p.Addr()) {
		t.Errorf("the address of the pooler is %s", b.URL())
	}
	c := dial(t, testserver.NewProxy(t, b.Addr()))
	write(t, c, "\x00\x00\x00\x08\x04\xd2\x16\x2f") // does it speak TLS?
	want(t, c, "N")
}
