package session_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/session/grant"
)

// roundTrip is an API as a client's transport sees it.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestClientsCallAsTheUserEachWithTheTokenOfItsAudience(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		var seen []string
		api := roundTrip(func(r *http.Request) *http.Response {
			seen = append(seen, r.Header.Get("Authorization"))
			return &http.Response{StatusCode: 200, Request: r, Body: io.NopCloser(strings.NewReader(""))}
		})
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: api})
		s := h.load(h.signIn())
		for _, c := range []*http.Client{s.Client(ctx), s.ClientFor(ctx, grant.Resource("https://other.example")), s.Client(ctx)} {
			resp, err := c.Get("https://api.example/")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if got := strings.Join(seen, ", "); got != "Bearer access-0, Bearer access-1, Bearer access-0" {
			t.Errorf("the API saw %s", got)
		}
	})
}
