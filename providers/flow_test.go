package providers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// TestLOG13SecretsOfAttemptsNeverRepeat: state, nonce and verifier of many
// attempts, at 256 bits each.
func TestLOG13SecretsOfAttemptsNeverRepeat(t *testing.T) {
	attempts := 100_000
	if testing.Short() || raceEnabled {
		attempts = 5_000
	}
	seen := make(map[string]bool, 3*attempts)
	for range attempts {
		f := providers.NewFlow("op", callback, "/")
		for _, secret := range []string{f.State(), f.Nonce(), f.Verifier()} {
			if len(secret) != 43 || seen[secret] {
				t.Fatalf("%q after %d attempts", secret, len(seen)/3)
			}
			seen[secret] = true
		}
	}
}

func TestFlowSurvivesItsCookie(t *testing.T) {
	age := int64(60)
	f := providers.NewFlow("op", callback, "/after")
	f.MaxAge, f.FormPost = &age, true
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var again providers.Flow
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if again.State() != f.State() || again.Nonce() != f.Nonce() || again.Verifier() != f.Verifier() || again.ReturnTo != "/after" ||
		!again.CreatedAt.Equal(f.CreatedAt) || *again.MaxAge != 60 || !again.FormPost {
		t.Errorf("%+v", again)
	}
	if len(b) > 1024 {
		t.Errorf("R13: %d bytes", len(b))
	}
}

// TestFlowIDTellsNothing: it stands in cookie names and in the store.
func TestFlowIDTellsNothing(t *testing.T) {
	f := providers.NewFlow("op", callback, "/")
	if f.ID() != providers.FlowID(f.State()) || len(f.ID()) != 16 {
		t.Errorf("%s", f.ID())
	}
	for _, secret := range []string{f.State(), f.Nonce(), f.Verifier()} {
		if strings.Contains(secret, f.ID()) {
			t.Error("the ID is part of a secret")
		}
	}
	if providers.FlowID("") == f.ID() {
		t.Error("an empty state has the ID of an attempt")
	}
}

// TestLOG11AttemptsEndAfterTenMinutes to the second.
func TestLOG11AttemptsEndAfterTenMinutes(t *testing.T) {
	f := providers.NewFlow("op", callback, "/")
	if f.Expired(f.CreatedAt.Add(10*time.Minute)) || !f.Expired(f.CreatedAt.Add(10*time.Minute+time.Second)) {
		t.Error("ten minutes")
	}
}
