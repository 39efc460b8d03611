// Gin mounts easyauth around a gin engine.
//
//	go run ./examples/gin
package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/demo"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func main() { demo.Main(mount) }

func mount(on demo.Ground) (http.Handler, func() error, error) {
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   on.Base,
		Providers: []providers.Provider{on.Dev.OIDC},
		Store:     on.Store,
		Keys:      on.Keys,
	})
	if err != nil {
		return nil, nil, err
	}

	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/", home)
	engine.GET("/account", guard(auth.Require), account) // refuses strangers
	return auth.Wrap(engine), auth.Close, nil            // serves /.auth, says who is there
}

// guard lets a net/http middleware guard a gin route.
func guard(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		next := func(_ http.ResponseWriter, r *http.Request) { passed, c.Request = true, r; c.Next() }
		if middleware(http.HandlerFunc(next)).ServeHTTP(c.Writer, c.Request); !passed {
			c.Abort()
		}
	}
}

func home(c *gin.Context) {
	if s, ok := session.FromContext(c.Request.Context()); ok {
		c.String(http.StatusOK, "Hello %s. See /account, or leave by /.auth/logout\n", s.User.Name)
		return
	}
	c.String(http.StatusOK, "Hello stranger. Sign in at /.auth/login, or by visiting /account\n")
}

func account(c *gin.Context) {
	ctx := c.Request.Context()
	s, _ := session.FromContext(ctx) // behind Require: there is one
	token, err := s.Token(ctx)       // fresh, or the reason why not
	if err != nil {
		c.String(http.StatusServiceUnavailable, "no token now\n")
		return
	}
	c.JSON(http.StatusOK, gin.H{"id": s.User.ID, "name": s.User.Name, "token_expires_at": token.Expiry})
}
