package grant_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// waits makes the house note what Waited is told, and what is logged of it.
func (h *house) waits() (told *[]grant.Outcome, log *bytes.Buffer) {
	told, log = new([]grant.Outcome), new(bytes.Buffer)
	h.cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.cfg.Waited = func(_ context.Context, o grant.Owner, out grant.Outcome) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if o.SessionID != "sid" {
			h.t.Errorf("told of %+v", o)
		}
		*told = append(*told, out)
	}
	return told, log
}

func TestWaitedIsToldOncePerCallerWhoeverRefreshes(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		told, log := h.waits()
		k, other := h.process(), h.process()
		defer k.Close()
		defer other.Close()
		h.mustToken(k, "at0") // does not wait
		h.op.takes = 1500 * time.Millisecond
		time.Sleep(2 * time.Hour)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { h.mustToken(k, "at1") })
			wg.Go(func() { h.mustToken(other, "at1") })
		}
		wg.Wait()
		if len(*told) != 10 {
			t.Fatalf("told %d times of 10 callers", len(*told))
		}
		for _, out := range *told {
			if out != (grant.Outcome{Reason: grant.ReasonRefreshed, Took: h.op.takes}) {
				t.Errorf("told %+v", out)
			}
		}
		if n := strings.Count(log.String(), `level=DEBUG msg="waited for a refresh"`); n != 10 {
			t.Errorf("%d records in\n%s", n, log)
		}
	})
}

// Who waits a second for a token about to die, and then on because it died, has
// waited once.
func TestWaitedIsToldOnceOfATokenThatDiesMeanwhile(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		told, _ := h.waits()
		k := h.process()
		defer k.Close()
		h.op.takes = 3 * time.Second
		time.Sleep(h.op.life - 500*time.Millisecond)
		h.mustToken(k, "at1")
		if want := (grant.Outcome{Reason: grant.ReasonRefreshed, Took: 3 * time.Second}); len(*told) != 1 || (*told)[0] != want {
			t.Errorf("told %+v, want %+v", *told, want)
		}
	})
}

func TestWaitedSaysWhatCameOfIt(t *testing.T) {
	for _, tt := range []struct {
		reason string
		during func(h *house, g *grant.Grant)
	}{
		{grant.ReasonRevoked, func(h *house, g *grant.Grant) { h.op.live = nil }},
		{grant.ReasonInteraction, func(h *house, g *grant.Grant) { h.op.answers = []answer{{fail: true, kind: providers.Interaction}} }},
		{grant.ReasonMisconfigured, func(h *house, g *grant.Grant) { h.op.answers = []answer{{fail: true, kind: providers.Misconfigured}} }},
		{grant.ReasonBusy, func(h *house, g *grant.Grant) {
			h.op.answers = []answer{{fail: true, kind: providers.Busy, retryAfter: time.Minute}}
		}},
		{grant.ReasonGateway, func(h *house, g *grant.Grant) {
			h.op.outage = func() answer { return answer{fail: true, kind: providers.Gateway, retryAfter: time.Minute} }
		}},
		{grant.ReasonNotSent, func(h *house, g *grant.Grant) {
			h.op.outage = func() answer { return answer{fail: true, kind: providers.NotSent} }
		}},
		{grant.ReasonNotReady, func(h *house, g *grant.Grant) {
			h.op.outage = func() answer { return answer{fail: true, kind: providers.Unready} }
		}},
		{grant.ReasonInDoubt, func(h *house, g *grant.Grant) { h.op.answers = []answer{lost} }},
		{grant.ReasonUnknownOutcome, func(h *house, g *grant.Grant) {
			h.op.answers = []answer{{fail: true, kind: providers.Invalid}, {fail: true, kind: providers.Unknown}}
			h.op.policy = reusable
		}},
		{grant.ReasonHeld, func(h *house, g *grant.Grant) { h.op.takes = time.Minute; h.cfg.WaitBudget = time.Second }},
		{grant.ReasonStore, func(h *house, g *grant.Grant) { h.store.Fail(errDown) }},
		{grant.ReasonMismatch, func(h *house, g *grant.Grant) {
			h.op.idToken, h.op.identity = true, &providers.Error{Kind: providers.Mismatch}
		}},
	} {
		story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
			told, _ := h.waits()
			time.Sleep(2 * time.Hour)
			g := new(grant.Grant)
			entries, _ := h.store.Load(t.Context(), key)
			tt.during(h, g)
			k := h.process()
			defer k.Close()
			k.Open(g, key, grant.Owner{SessionID: "sid", Provider: "op"}, entries[0])
			_, err := g.Token(t.Context(), grant.Audience{})
			if len(*told) != 1 || (*told)[0].Reason != tt.reason {
				t.Errorf("told %+v of %v, want %s", *told, err, tt.reason)
			}
		})
	}
}

func TestWaitedOfWhoLeftAndOfWhoCameTooLate(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, _ *grant.Keeper) {
		told, _ := h.waits()
		k := h.process()
		h.op.takes = 10 * time.Second
		time.Sleep(2 * time.Hour)
		g := h.request(k)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Token(ctx, grant.Audience{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("left: %v", err)
		}
		k.Close()
		time.Sleep(2 * time.Hour)
		h.wantError(k, grant.ErrTransient)
		if err := h.process().End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Token(t.Context(), grant.Audience{}); !errors.Is(err, grant.ErrSessionEnded) {
			t.Errorf("ended: %v", err)
		}
		want := []grant.Outcome{{Reason: grant.ReasonCancelled, Took: time.Second}, {Reason: grant.ReasonClosing}}
		if len(*told) != 2 || (*told)[0] != want[0] || (*told)[1] != want[1] {
			t.Errorf("told %+v, want %+v", *told, want)
		}
	})
}

// The names that the provider's failures go by are those of the list.
func TestReasonsOfAProviderAreItsKinds(t *testing.T) {
	for kind, reason := range map[providers.Kind]string{
		providers.Unknown: grant.ReasonUnknownOutcome, providers.NotSent: grant.ReasonNotSent,
		providers.Busy: grant.ReasonBusy, providers.Gateway: grant.ReasonGateway,
		providers.Revoked: grant.ReasonRevoked, providers.Interaction: grant.ReasonInteraction,
		providers.Misconfigured: grant.ReasonMisconfigured, providers.Mismatch: grant.ReasonMismatch,
		providers.Unready: grant.ReasonNotReady,
	} {
		if kind.String() != reason {
			t.Errorf("%q is told as %q", kind, reason)
		}
	}
}

// The page for operators has every reason.
func TestReasonsAreOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?m)^\tReason\w+ += "(\w+)"`).FindAllSubmatch(source, -1)
	if len(named) != 21 {
		t.Errorf("%d reasons", len(named))
	}
	for _, c := range named {
		if !bytes.Contains(page, []byte("`"+string(c[1])+"`")) {
			t.Errorf("docs/operations.md does not say what %s means", c[1])
		}
	}
}
