package e2e_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
	"github.com/goeasyauth/easyauth/internal/testserver"
)

// dexConfig is what a test may choose.
type dexConfig struct {
	AccessTTL time.Duration
	Reuse     time.Duration // how long a used refresh token is answered with what it was answered before
}

// startDex starts a Dex on a database of its own. base is the URL of the
// application, whose redirect URI Dex compares.
func startDex(t testing.TB, base string, cfg dexConfig) *oidcProvider {
	t.Helper()
	cmd := exec.Command(parts.Dex.Need(t))
	cmd.Env = append(os.Environ(),
		"DEX_DATABASE="+testserver.NewPostgres(t).URL(),
		"DEX_REDIRECT="+base+"/.auth/login/oidc/callback",
		"DEX_TOKEN_TTL="+cfg.AccessTTL.String(),
		"DEX_REUSE="+cfg.Reuse.String())
	cmd.Stderr = os.Stderr
	op := runProvider(t, cmd)
	op.args = []string{"-dex"}
	return op
}
