package grant_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// api is a resource server as the client's transport sees it.
type api struct {
	refuses map[string]bool // tokens
	header  http.Header     // of the refusal
	moved   string          // where every request is redirected to
	seen    []string        // "host token body"
	closed  int             // response bodies
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.seen = append(a.seen, strings.TrimSpace(r.URL.Host+" "+token+" "+string(body)))
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: closer{strings.NewReader("answer"), a}}
	switch {
	case a.moved != "" && !strings.HasPrefix(a.moved, r.URL.Scheme+"://"+r.URL.Host):
		resp.StatusCode = 307
		resp.Header.Set("Location", a.moved)
	case a.refuses[token]:
		resp.StatusCode = 401
		if a.header != nil {
			resp.Header = a.header
		}
	}
	return resp, nil
}

type closer struct {
	io.Reader
	api *api
}

func (c closer) Close() error { c.api.closed++; return nil }

// call sends one request through the grant's client to the API.
func (h *house) call(k *grant.Keeper, a *api, body io.Reader) (*http.Response, error) {
	h.t.Helper()
	ctx := context.WithValue(h.t.Context(), oauth2.HTTPClient, &http.Client{Transport: a})
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", "https://api.example/things", body)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := h.request(k).Client(ctx, grant.Audience{}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

func (a *api) wantSeen(t *testing.T, wanted ...string) {
	t.Helper()
	if !slices.Equal(a.seen, wanted) {
		t.Errorf("the API saw %q, want %q", a.seen, wanted)
	}
}

func TestClientRenewsOnceAfterA401AndSendsTheBodyAgain(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(10 * time.Minute)
		a := &api{refuses: map[string]bool{"at0": true}}
		resp, err := h.call(k, a, strings.NewReader("body"))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
		a.wantSeen(t, "api.example at0 body", "api.example at1 body")
		if a.closed != 2 {
			t.Errorf("%d response bodies closed, want 2", a.closed)
		}
	})
}

func TestClientGivesUpAfterTheSecondRefusal(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(10 * time.Minute)
		a := &api{refuses: map[string]bool{"at0": true, "at1": true}}
		for range 3 { // within the floor of five seconds
			if resp, err := h.call(k, a, nil); err != nil || resp.StatusCode != 401 {
				t.Fatalf("%v, %v", resp, err)
			}
		}
		h.wantCalls(1)
		a.wantSeen(t, "api.example at0", "api.example at1", "api.example at1", "api.example at1")
	})
}

func TestClientDoesNotSendWhatCannotBeSentTwice(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(10 * time.Minute)
		a := &api{refuses: map[string]bool{"at0": true}}
		if resp, err := h.call(k, a, io.LimitReader(strings.NewReader("stream"), 6)); err != nil || resp.StatusCode != 401 {
			t.Fatalf("%v, %v", resp, err)
		}
		a.wantSeen(t, "api.example at0 stream")
		h.wantCalls(0)
	})
}

func TestClientDoesNotRenewForAScopeOrAProofOfPossession(t *testing.T) {
	for _, challenge := range []string{`Bearer error="insufficient_scope"`, `DPoP error="use_dpop_nonce"`} {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			time.Sleep(10 * time.Minute)
			a := &api{refuses: map[string]bool{"at0": true}, header: http.Header{"Www-Authenticate": {challenge}}}
			if resp, err := h.call(k, a, nil); err != nil || resp.StatusCode != 401 {
				t.Fatalf("%v, %v", resp, err)
			}
			h.wantCalls(0)
		})
	}
}

func TestLEA8TokenDoesNotFollowARedirectToAnotherHost(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		a := &api{moved: "https://evil.example/"}
		if _, err := h.call(k, a, nil); err != nil {
			t.Fatal(err)
		}
		a.wantSeen(t, "api.example at0", "evil.example")
	})
}

func TestClientTellsWhyThereIsNoToken(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		time.Sleep(2 * time.Hour)
		h.op.answers = []answer{{fail: true, kind: providers.Revoked}}
		a := &api{}
		if _, err := h.call(k, a, strings.NewReader("body")); !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("%v, want ErrReauthRequired", err)
		}
		a.wantSeen(t)
	})
}
