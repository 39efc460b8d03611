// Command parts brings what the tests need and prints one line a part: "have:"
// with where it is, or "left out:" with the reason. Where CI is "true" nothing
// may be left out, and the exit status says so.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	status := 0
	for _, part := range parts.All() {
		path, err := part.Bring(ctx)
		if err != nil {
			fmt.Printf("left out: %s (%s): %v\n", part.For, part.Name, err)
			if os.Getenv("CI") == "true" {
				status = 1
			}
			continue
		}
		fmt.Printf("have: %s %s\n", part.Name, path)
	}
	os.Exit(status)
}
