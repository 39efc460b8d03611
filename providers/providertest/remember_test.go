package providertest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// A provider that remembers goes on in the next process as if nothing had been:
// no call of it ends the first one in an orderly way.
func TestProviderThatRemembersSurvivesItsProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "memory")
		start := func(cfg providertest.Config) *client {
			t.Helper()
			cfg.Algorithm = "ES256"
			c := newClient(t, cfg)
			if err := c.op.Remember(file); err != nil {
				t.Fatal(err)
			}
			return c
		}
		first := start(providertest.Config{AlwaysRefresh: true})
		old := first.signIn()
		rotated, err := first.refresh(old.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v; want mode 0600", info, err)
		}

		second := start(providertest.Config{AlwaysRefresh: true})
		if _, err := second.provider.UserInfo(second.ctx, oauth2.StaticTokenSource(rotated)); err != nil {
			t.Errorf("access token of the first process: %v", err)
		}
		if _, err := second.verify(rotated); err != nil {
			t.Errorf("ID token of the first process: %v", err)
		}
		next, err := second.refresh(rotated.RefreshToken)
		if err != nil {
			t.Fatalf("refresh token of the first process: %v", err)
		}
		time.Sleep(time.Second)

		third := start(providertest.Config{AlwaysRefresh: true})
		if _, err := third.refresh(old.RefreshToken); err == nil {
			t.Error("a refresh token that the first process saw used is taken by the third")
		}
		if n := third.op.Stats().ReuseDetected; n != 1 {
			t.Errorf("%d reuses detected, want 1", n)
		}
		fourth := start(providertest.Config{AlwaysRefresh: true})
		if _, err := fourth.refresh(next.RefreshToken); err == nil {
			t.Error("the family that the third process revoked lives in the fourth")
		}
	})
}

func TestMemoryOfNoProviderIsRefused(t *testing.T) {
	dir := t.TempDir()
	strange := filepath.Join(dir, "strange")
	if err := os.WriteFile(strange, []byte("not a memory"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, wanted := range map[string]string{
		strange:                            "was not written by a provider",
		filepath.Join(dir, "no", "folder"): "no such file or directory",
		dir:                                "is a directory",
	} {
		err := providertest.New(providertest.Config{}).Remember(file)
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v, want an error that says %q", file, err, wanted)
		}
	}
	if text, _ := os.ReadFile(strange); string(text) != "not a memory" {
		t.Error("a file that was refused was overwritten")
	}
}
