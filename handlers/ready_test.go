package handlers_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestReadyAnswersAHealthRoute(t *testing.T) {
	s := newSite(t, setup{})
	ask := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Ready().ServeHTTP(w, httptest.NewRequest(method, app+"/healthz", nil))
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", method, w.Header().Get("Cache-Control"))
		}
		return w
	}
	const well = `{"ready":true,"checks":[{"name":"store","ok":true},{"name":"clock","ok":true},{"name":"provider:aad","ok":true}]}`
	if w := ask(http.MethodGet); w.Code != http.StatusOK || w.Body.String() != well || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	if w := ask(http.MethodHead); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HEAD: status %d, %s", w.Code, w.Body)
	}
	if w := ask(http.MethodPost); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	ill := newSite(t, setup{})
	ill.faulty.Fail(errors.New("connection refused"))
	w := httptest.NewRecorder()
	ill.Ready().ServeHTTP(w, httptest.NewRequest(http.MethodGet, app+"/healthz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("store down: status %d", w.Code)
	}
}
