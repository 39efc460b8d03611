package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/goeasyauth/easyauth/examples/internal/demotest"
)

func TestAPersonSignsInToTheGinApplication(t *testing.T) { demotest.SignsInAndOut(t, mount) }

func TestGuardStopsTheChainOfARefusedRequest(t *testing.T) {
	for name, refuse := range map[string]bool{"refused": true, "passed": false} {
		t.Run(name, func(t *testing.T) {
			middleware := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if refuse {
						w.WriteHeader(http.StatusUnauthorized)
						return
					}
					next.ServeHTTP(w, r)
				})
			}
			gin.SetMode(gin.ReleaseMode)
			engine, ran := gin.New(), 0
			engine.GET("/", guard(middleware), func(*gin.Context) { ran++ })
			answer := httptest.NewRecorder()
			engine.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
			if refuse && (ran != 0 || answer.Code != http.StatusUnauthorized) || !refuse && ran != 1 {
				t.Errorf("the handler ran %d times, status %d", ran, answer.Code)
			}
		})
	}
}
