package respond_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
)

func ExampleFail() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		respond.Fail(w, r, respond.StoreUnavailable, respond.Options{RetryAfter: 5 * time.Second, Reload: true})
	}
	rec := httptest.NewRecorder()
	handler(rec, httptest.NewRequest("GET", "/api/orders", nil))
	fmt.Println(rec.Code, rec.Header().Get("Content-Type"), rec.Header().Get("Retry-After"))
	// Output: 503 application/problem+json 5
}

func ExampleMarshal() {
	text, _ := respond.Marshal("http://schemas.example/name")
	fmt.Printf("%s\n", text)
	// Output: "http:\/\/schemas.example\/name"
}
