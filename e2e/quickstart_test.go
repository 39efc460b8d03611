package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// quickstart is the example's real binary, running.
type quickstart struct {
	URL  string
	logs logs // standard output and error, at debug level
	t    testing.TB
	cmd  *exec.Cmd
	args []string
	jars []*visitor
}

// startQuickstart runs it on a free port with files of its own. With a
// provider it signs in there, without one at the one that is built in.
func startQuickstart(t testing.TB, op *oidcProvider, args ...string) *quickstart {
	t.Helper()
	dir := t.TempDir()
	addr := freeAddr(t)
	q := &quickstart{URL: "http://" + addr, t: t}
	q.args = []string{"-v", "-addr", addr, "-keys", filepath.Join(dir, "keys"), "-store", "sqlite:" + filepath.Join(dir, "sessions.db")}
	if op != nil {
		q.args = append(q.args, "-issuer", op.Issuer, "-client-id", clientID)
	}
	q.args = append(q.args, args...)
	q.Start()
	t.Cleanup(func() {
		q.Kill()
		if t.Failed() {
			t.Logf("quickstart wrote:\n%s", q.logs.String())
		}
		if op != nil {
			q.logs.mustNotHold(t, op, q.jars)
		}
	})
	return q
}

// Start starts it, again after a Kill, and waits until it answers.
func (q *quickstart) Start() {
	q.t.Helper()
	q.cmd = exec.Command(buildQuickstart(q.t), q.args...)
	q.cmd.Stdout, q.cmd.Stderr = &q.logs, &q.logs
	q.cmd.Env = append(os.Environ(), "QUICKSTART_CLIENT_SECRET="+clientSecret)
	if err := q.cmd.Start(); err != nil {
		q.t.Fatal(err)
	}
	eventually(q.t, 20*time.Second, func() bool {
		resp, err := http.Get(q.URL)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
}

// Kill is kill -9.
func (q *quickstart) Kill() {
	q.cmd.Process.Kill()
	q.cmd.Wait()
}

// SignedIn is a visitor who has signed in at the provider.
func (q *quickstart) SignedIn(name string) *visitor {
	q.t.Helper()
	v := newVisitor(q.t)
	q.jars = append(q.jars, v)
	v.SignInAt(q.URL, name)
	if got := q.Whoami(v); got.User != name || got.Provider != "oidc" {
		q.t.Fatalf("signed in as %+v", got)
	}
	return v
}

type whoami struct {
	Status   int
	Provider string `json:"provider"`
	User     string `json:"user_id"`
	Name     string `json:"name"`
}

// Whoami asks /api/whoami.
func (q *quickstart) Whoami(v *visitor) (who whoami) {
	q.t.Helper()
	p := v.Ask(q.URL + "/api/whoami")
	if err := json.Unmarshal([]byte(p.Text), &who); err != nil {
		q.t.Fatalf("/api/whoami: %d %q: %v", p.Status, p.Text, err)
	}
	who.Status = p.Status
	return who
}

type tokenInfo struct {
	Status int
	SHA256 string `json:"sha256"`
	Error  string `json:"error"`
}

// Token asks /api/token.
func (q *quickstart) Token(v *visitor) (token tokenInfo) {
	q.t.Helper()
	p := v.Ask(q.URL + "/api/token")
	if err := json.Unmarshal([]byte(p.Text), &token); err != nil {
		q.t.Fatalf("/api/token: %d %q: %v", p.Status, p.Text, err)
	}
	token.Status = p.Status
	return token
}
