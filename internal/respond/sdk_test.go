package respond_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
)

func TestAnswersToProgramsAreWhatTheGoldenFilesSay(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"sdk_sign_in_invalid": func(w http.ResponseWriter, r *http.Request) {
			respond.SDKProblem(w, r, http.StatusUnauthorized, respond.SignInInvalid, "The provider's token is not valid here.", respond.Options{})
		},
		"sdk_store_unavailable": func(w http.ResponseWriter, r *http.Request) {
			respond.SDKProblem(w, r, http.StatusServiceUnavailable, respond.StoreUnavailable, "", respond.Options{RetryAfter: 5 * time.Second, Login: "https://app.example/.auth/login"})
		},
		"message": func(w http.ResponseWriter, r *http.Request) {
			respond.Message(w, r, `{"type":"LoginCompleted","error":"</script><script>alert('1')</script>"}`, "https://spa.example")
		},
		"receiver": func(w http.ResponseWriter, r *http.Request) {
			respond.Receiver(w, r, "https://spa.example")
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			answer(rec, httptest.NewRequest(http.MethodGet, "/", nil))
			golden(t, name, rec)
		})
	}
}
