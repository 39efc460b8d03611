package session_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// journal keeps what the hooks and the log are told, in one form: the name of
// the hook and the reason.
type journal struct {
	mu     sync.Mutex
	hooks  []string
	logged []string
}

// records are the messages of the log that stand for an outcome, by its hook.
var records = map[string]string{
	"signed in": "Started", "refreshed": "Refreshed", "refresh failed": "RefreshFailed", "session ended": "Ended",
	"sign-in wanted soon": "ReauthSoon", "waited for a refresh": "Waited",
}

// all are hooks that note every event under the name of their field.
func (j *journal) all() (h session.Hooks) {
	v := reflect.ValueOf(&h).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		v.Field(i).Set(reflect.ValueOf(func(_ context.Context, e session.Event) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.hooks = append(j.hooks, strings.TrimSpace(name+" "+string(e.Reason)))
		}))
	}
	return h
}

// Handle implements slog.Handler.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	name, ok := records[r.Message]
	if !ok {
		name = r.Message
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "reason" {
			name += " " + a.Value.String()
		}
		return true
	})
	j.logged = append(j.logged, name)
	return nil
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

// Each outcome is one call of one hook and one record of the log, with one
// reason out of the closed list.
func TestEachOutcomeIsToldOnceAndLoggedOnce(t *testing.T) {
	const hour = time.Hour
	refusal := func(k providers.Kind) func(h *house) {
		return func(h *house) {
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(2 * hour)
			h.op.refuse = &providers.Error{Kind: k}
			s.Token(h.t.Context())
		}
	}
	for _, tt := range []struct {
		name   string
		do     func(h *house)
		wanted []string // besides the sign-in
	}{
		{"sign-in", func(h *house) { h.browserOf("alice", "one") }, nil},
		{"sign-in in place of another", func(h *house) {
			h.signIn(h.browserOf("alice", "one").Header.Get("Cookie"))
		}, []string{"Ended replaced", "Started"}},
		{"refresh", func(h *house) {
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(2 * hour)
			s.Token(h.t.Context())
		}, []string{"Refreshed", "Waited refreshed"}},
		{"revoked", refusal(providers.Revoked), []string{"RefreshFailed revoked", "Waited revoked"}},
		{"user wanted", refusal(providers.Interaction), []string{"RefreshFailed interaction_required", "Waited interaction_required"}},
		{"client rejected", refusal(providers.Misconfigured), []string{"RefreshFailed misconfigured", "Waited misconfigured"}},
		{"5xx", refusal(providers.Gateway), []string{"RefreshFailed gateway", "Waited in_doubt"}},
		{"answer lost", refusal(providers.Unknown), []string{"RefreshFailed unknown_outcome", "Waited in_doubt"}},
		{"revoked in the grace period", func(h *house) {
			r := h.browserOf("alice", "one")
			time.Sleep(9 * hour)
			h.op.refuse = revoked
			h.Renew(h.t.Context(), h.load(r))
		}, []string{"RefreshFailed revoked", "Waited revoked", "Ended revoked"}},
		{"somebody else's identity", func(h *house) {
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(2 * hour)
			h.op.verify = &providers.Error{Kind: providers.Mismatch}
			s.Token(h.t.Context())
		}, []string{"Ended identity_mismatch", "Waited identity_mismatch"}},
		{"refresh behind the request", func(h *house) { // nobody waited
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(56 * time.Minute)
			s.Token(h.t.Context())
		}, []string{"Refreshed"}},
		{"refresh token about to die", func(h *house) {
			h.op.policy.Lifetime = 40 * time.Minute
			s := h.load(h.browserOf("alice", "one"))
			time.Sleep(37 * time.Minute)
			s.Token(h.t.Context())
			s.Token(h.t.Context())
		}, []string{"ReauthSoon"}},
		{"logout", func(h *house) { h.End(h.t.Context(), h.load(h.browserOf("alice", "one"))) }, []string{"Ended logout"}},
		{"logout twice", func(h *house) {
			s := h.load(h.browserOf("alice", "one"))
			h.End(h.t.Context(), s)
			h.End(h.t.Context(), s)
		}, []string{"Ended logout"}},
		{"administrator", func(h *house) { h.EndSession(h.t.Context(), h.load(h.browserOf("alice", "one")).ID) }, []string{"Ended administrative"}},
		{"everywhere", func(h *house) {
			h.browserOf("alice", "one")
			h.EndAll(h.t.Context(), user("alice"))
		}, []string{"Ended everywhere"}},
		{"provider", func(h *house) {
			h.browserOf("alice", "one")
			h.EndNamed(h.t.Context(), "op", "https://op.example", "", "one")
		}, []string{"Ended backchannel"}},
		{"idle", func(h *house) {
			r := h.browserOf("alice", "one")
			time.Sleep(10 * hour)
			h.wantNone(r)
		}, []string{"Ended idle"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			change := func(c *session.Config) { c.Hooks, c.Logger, c.IdleTimeout = j.all(), slog.New(&j), 10*hour }
			story(t, change, func(t *testing.T, h *house) {
				tt.do(h)
				synctest.Wait()
				wanted := append([]string{"Started"}, tt.wanted...)
				// Of a token that was refused the log says why besides.
				told := slices.DeleteFunc(j.logged, func(r string) bool { return r == "refreshed ID token not accepted" })
				if !slices.Equal(j.hooks, wanted) {
					t.Errorf("hooks told %q, want %q", j.hooks, wanted)
				}
				if !slices.Equal(told, wanted) {
					t.Errorf("the log says %q, want %q", told, wanted)
				}
				for _, event := range j.hooks {
					if _, reason, _ := strings.Cut(event, " "); reason != "" && !slices.Contains(session.Reasons(), session.Reason(reason)) {
						t.Errorf("%q is not in the closed list", reason)
					}
				}
			})
		})
	}
}

// The list is what the file declares, each reason once.
func TestReasonsAreAll(t *testing.T) {
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []session.Reason
	for _, match := range regexp.MustCompile(`(?m)^\tReason\w+\s+Reason = "(\w+)"`).FindAllSubmatch(source, -1) {
		declared = append(declared, session.Reason(match[1]))
	}
	if got := session.Reasons(); !slices.Equal(got, declared) || len(got) == 0 {
		t.Errorf("Reasons returns %v, declared are %v", got, declared)
	}
	slices.Sort(declared)
	if n := len(declared); len(slices.Compact(declared)) != n {
		t.Error("a reason is declared twice")
	}
}

// What package grant gives as a reason is one of this list.
func TestReasonsOfTheGrantAreReasons(t *testing.T) {
	source, err := os.ReadFile("grant/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?m)^\tReason\w+\s+= "(\w+)"`).FindAllSubmatch(source, -1)
	for _, match := range given {
		if !slices.Contains(session.Reasons(), session.Reason(match[1])) {
			t.Errorf("%s is in no list", match[1])
		}
	}
	if len(given) == 0 {
		t.Error("no reasons found")
	}
}

func TestStartedTellsHowLongItTook(t *testing.T) {
	var told session.Event
	change := func(c *session.Config) { c.Hooks.Started = func(_ context.Context, e session.Event) { told = e } }
	story(t, change, func(t *testing.T, h *house) {
		login := h.login()
		time.Sleep(300 * time.Millisecond)
		s, err := h.Start(httptest.NewRecorder(), request(), login, "")
		if err != nil {
			t.Fatal(err)
		}
		want := session.Event{SessionID: s.ID, Provider: "op", UserID: "alice", ExpiresAt: s.ExpiresAt, Took: 300 * time.Millisecond}
		if told != want {
			t.Errorf("told %+v, want %+v", told, want)
		}
	})
}

type traceKey struct{}

// A hook sees the values of the request, such as its trace, and not its end.
func TestHooksKeepTheTraceAndNotTheEndOfTheirRequest(t *testing.T) {
	var told int
	change := func(c *session.Config) {
		look := func(ctx context.Context, _ session.Event) {
			if ctx.Value(traceKey{}) != "trace" || ctx.Err() != nil {
				t.Errorf("value %v, %v", ctx.Value(traceKey{}), ctx.Err())
			}
			told++
		}
		c.Hooks = session.Hooks{Refreshed: look, RefreshFailed: look, Ended: look, LoginFailed: look}
	}
	story(t, change, func(t *testing.T, h *house) {
		s := h.load(h.browserOf("alice", "one"))
		time.Sleep(2 * time.Hour)
		ctx, leave := context.WithCancelCause(context.WithValue(t.Context(), traceKey{}, "trace"))
		s.Token(ctx)
		leave(errors.New("the client left"))
		h.End(ctx, s)
		h.LoginFailed(ctx, "op", session.ReasonSignInDenied)
		if told != 3 {
			t.Errorf("%d events", told)
		}
	})
}
