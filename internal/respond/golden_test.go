package respond_test

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a whole answer, headers included, with a file.
func golden(t *testing.T, name string, rec *httptest.ResponseRecorder) {
	t.Helper()
	var got bytes.Buffer
	if err := rec.Result().Write(&got); err != nil {
		t.Fatal(err)
	}
	text := bytes.ReplaceAll(got.Bytes(), []byte("\r\n"), []byte("\n"))
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s differs from what is answered now:\n%s", file, text)
	}
}

func TestAnswersAreWhatTheGoldenFilesSay(t *testing.T) {
	tests := []struct {
		name   string
		accept string
		answer func(http.ResponseWriter, *http.Request)
	}{
		{"page_forbidden", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.Forbidden, respond.Options{})
		}},
		{"page_attempt_unknown", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.AttemptUnknown, respond.Options{Login: "/.auth/login/google"})
		}},
		{"page_store_unavailable", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.StoreUnavailable, respond.Options{RetryAfter: 1500 * time.Millisecond, Reload: true})
		}},
		{"page_provider_unavailable_nothing_to_reload", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.ProviderUnavailable, respond.Options{RetryAfter: time.Second, Login: "/.auth/login/google"})
		}},
		{"page_form_and_links", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Show(w, r, http.StatusOK, respond.Page{
				Title: "Sign out <b>?",
				Text:  `Text with "quotes" & <tags>.`,
				Form:  &respond.Form{Button: "Sign out", Action: "/.auth/logout"},
				Links: []respond.Link{{Text: "Stay", Href: "/"}, {Text: "Never a script", Href: "javascript:alert(1)"}},
			})
		}},
		{"problem_sign_in_required", "application/json", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.SignInRequired, respond.Options{
				Challenge: `Bearer realm="app.example"`, Login: "https://app.example/.auth/login"})
		}},
		{"problem_provider_unavailable", "*/*", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.ProviderUnavailable, respond.Options{RetryAfter: 61 * time.Second, Reload: true})
		}},
		{"json_slashes", "*/*", func(w http.ResponseWriter, r *http.Request) {
			respond.JSON(w, r, http.StatusOK, map[string]string{"typ": "http://schemas.example/claims/name"})
		}},
		{"moved", "text/html", func(w http.ResponseWriter, _ *http.Request) {
			respond.Moved(w, "https://app.example/account?tab=1&name=Zoë")
		}},
		{"page_lead", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Lead(w, r, "/.auth/login/google?post_login_redirect_uri=%2Faccount%3Ftab%3D1")
		}},
		{"page_strangers_forbidden", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.StrangersForbidden, respond.Options{})
		}},
		{"problem_https_required", "*/*", func(w http.ResponseWriter, r *http.Request) {
			respond.Fail(w, r, respond.HTTPSRequired, respond.Options{})
		}},
		{"redirect", "text/html", func(w http.ResponseWriter, r *http.Request) {
			respond.Redirect(w, r, "/account?tab=1")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/account?secret=1", nil)
			r.Header.Set("Accept", tt.accept)
			rec := httptest.NewRecorder()
			tt.answer(rec, r)
			golden(t, tt.name, rec)
		})
	}
}
