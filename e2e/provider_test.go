package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

// What op.mjs registers: the application, the same one as a client that may have
// ID tokens by way of the browser, and one on a telephone, without a secret.
const (
	clientID      = "e2e"
	clientIDFront = "e2e-front"
	clientIDPhone = "e2e-phone"
	clientSecret  = "e2e-secret-that-must-not-be-logged"
)

// opConfig is what a test may choose.
type opConfig struct {
	AccessTTL     time.Duration // 0: a minute
	RefreshTTL    time.Duration // 0: a day
	AlwaysRefresh bool          // a refresh token with every sign-in, whether it asked for consent or not
}

// oidcProvider is one running oidc-provider, or Dex.
type oidcProvider struct {
	Issuer string
	args   []string // what cmd/replica has to know beside
	cmd    *exec.Cmd
	t      testing.TB
	last   []string // the secrets, once it was killed
}

// opStats counts what was asked of the provider.
type opStats struct {
	Calls       int // of the token endpoint, refused ones too
	Logins      int // codes presented
	Refreshes   int // refresh tokens presented
	Refreshed   int // of those, answered with new tokens
	Replays     int // of those, used before: the grant died of it
	Revocations int // grants revoked
	Logouts     int
	Userinfo    int
	MaxInFlight int
}

func startProvider(t testing.TB, cfg opConfig) *oidcProvider {
	t.Helper()
	node, dir := parts.Node.Need(t), parts.OP.Need(t)
	cmd := exec.Command(node, filepath.Join(dir, "op.mjs"))
	cmd.Env = append(os.Environ(), "OP_ACCESS_TTL="+seconds(cfg.AccessTTL), "OP_REFRESH_TTL="+seconds(cfg.RefreshTTL))
	if cfg.AlwaysRefresh {
		cmd.Env = append(cmd.Env, "OP_ALWAYS_REFRESH=1")
	}
	return runProvider(t, cmd)
}

// runProvider starts a provider that prints its issuer and has the switches of
// op.mjs.
func runProvider(t testing.TB, cmd *exec.Cmd) *oidcProvider {
	t.Helper()
	stdin, err := cmd.StdinPipe() // it ends when it closes, even if the test process is killed
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	op := &oidcProvider{cmd: cmd, t: t}
	t.Cleanup(func() { stdin.Close(); cmd.Process.Kill(); cmd.Wait() })

	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the provider did not start: %v", err)
	}
	if err := json.Unmarshal(line, op); err != nil {
		t.Fatalf("the provider said %q: %v", line, err)
	}
	return op
}

// Kill ends the provider at once: from now on it refuses connections.
func (p *oidcProvider) Kill() {
	p.t.Helper()
	p.last = p.Secrets()
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// Stats returns the counters.
func (p *oidcProvider) Stats() (s opStats) {
	p.t.Helper()
	p.control("/_stats", nil, &s)
	return s
}

// Secrets returns every secret the provider issued or was shown so far.
func (p *oidcProvider) Secrets() (secrets []string) {
	p.t.Helper()
	if p.last != nil {
		return p.last
	}
	p.control("/_secrets", nil, &secrets)
	return secrets
}

// fault is what becomes of token calls; see op.mjs.
type fault struct {
	Calls      int
	Status     int // answered instead of processing the call
	RetryAfter time.Duration
	Delay      time.Duration // before the answer, when the call was processed already
	Cut        bool          // close the connection instead of answering
}

// Next arms a fault for the next token calls.
func (p *oidcProvider) Next(f fault) {
	p.t.Helper()
	query := url.Values{
		"n":           {strconv.Itoa(f.Calls)},
		"delay":       {strconv.FormatInt(f.Delay.Milliseconds(), 10)},
		"status":      {strconv.Itoa(f.Status)},
		"retry_after": {seconds(f.RetryAfter)},
	}
	if f.Cut {
		query.Set("cut", "1")
	}
	p.control("/_next", query, new(any))
}

func (p *oidcProvider) control(path string, query url.Values, into any) {
	p.t.Helper()
	resp, err := http.Get(p.Issuer + path + "?" + query.Encode())
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		p.t.Fatalf("the provider's %s answered %q: %v", path, body, err)
	}
}

// seconds is empty for zero, which means the default.
func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}

// flags implement idp.
func (p *oidcProvider) flags() []string {
	return append([]string{"-issuer", p.Issuer, "-client-id", clientID, "-client-secret", clientSecret}, p.args...)
}

// atOnce is one for Dex, whose transactions on Postgres get into each other's way.
func (p *oidcProvider) atOnce() int {
	if slices.Contains(p.args, "-dex") {
		return 1
	}
	return 8
}

func (p *oidcProvider) signIn(v *visitor, at, name string) page { return v.Approve(v.Visit(at), name) }
