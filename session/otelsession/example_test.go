package otelsession_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/otelsession"
)

// The hooks report to the global providers, and then to the application.
func ExampleNew() {
	hooks, err := otelsession.New(otelsession.Config{
		Next: session.Hooks{
			ReauthSoon: func(_ context.Context, e session.Event) {
				slog.Info("sign-in needed soon", "session", e.SessionID, "by", e.ExpiresAt)
			},
		},
	})
	fmt.Println(hooks.Refreshed != nil, err) // easyauth.Config{Hooks: hooks, ...}
	// Output: true <nil>
}
