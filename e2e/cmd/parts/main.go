// Command parts brings what the tests need and prints one line a part: "have:"
// with where it is, or "left out:" with the reason. Where CI is "true" nothing
// may be left out, and the exit status says so.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	status := 0
	all := parts.All()
	brought := make([]func() (string, error), len(all))
	for i, part := range all {
		brought[i] = sync.OnceValues(func() (string, error) { return part.Bring(ctx) })
		if part.Beside {
			go brought[i]()
		}
	}
	for i, part := range all {
		path, err := brought[i]()
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
