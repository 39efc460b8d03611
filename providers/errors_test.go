package providers_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// TestErrorTexts pins what operators read.
func TestErrorTexts(t *testing.T) {
	for want, e := range map[string]*providers.Error{
		`providers: op: refresh refused: revoked, status 400, code "invalid_grant"`: {Provider: "op", Op: "refresh", Kind: providers.Revoked, Code: "invalid_grant", Status: 400},
		`providers: op: discover refused: not_ready: EOF`:                           {Provider: "op", Op: "discover", Kind: providers.Unready, Err: io.EOF, RetryAfter: time.Second},
		`providers: op: verify refused: kind200`:                                    {Provider: "op", Op: "verify", Kind: 200},
	} {
		if e.Error() != want {
			t.Errorf("%s", e)
		}
	}
	if !errors.Is(&providers.Error{Err: io.EOF}, io.EOF) {
		t.Error("the cause is lost")
	}
}

// TestKindsHaveNames: the closed list of reasons that logs and hooks show.
func TestKindsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := providers.Unknown; k <= providers.Unready; k++ {
		if name := k.String(); name == "" || seen[name] || name[0] == 'k' {
			t.Errorf("%d is %q", k, name)
		} else {
			seen[name] = true
		}
	}
	for c, want := range map[providers.ReplayClass]string{providers.Learnt: "learnt", providers.Strict: "strict", providers.Graced: "graced", providers.Reusable: "reusable", 9: "class9"} {
		if c.String() != want {
			t.Errorf("%d is %q", c, c)
		}
	}
}
