package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// DOS1: what a login attempt costs us, with a short target and with the longest.
func BenchmarkLogin(b *testing.B) {
	for name, target := range map[string]string{"short": "/account", "longest": "/" + strings.Repeat("abcdefg/", 255)} {
		b.Run(name, func(b *testing.B) {
			s := newSite(b, setup{})
			r := s.visitor().request(http.MethodGet, "/.auth/login/aad?post_login_redirect_uri="+target)
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

func BenchmarkMe(b *testing.B) {
	s := newSite(b, setup{})
	v := s.visitor()
	v.signIn(b, "alice")
	r := v.request(http.MethodGet, "/.auth/me")
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}
