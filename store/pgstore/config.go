package pgstore

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Config is how a [Store] uses its database. The zero value is fit for use.
type Config struct {
	// Schema is where the tables are; default "easyauth". Any name of at most 63
	// bytes will do. It is also the channel of the notifications that tell
	// watchers of changes.
	Schema string

	// Listen opens the connection that Watch listens on. It must reach the same
	// database as the pool, and the server itself or something that keeps one of
	// the server's connections for it, such as a pooler in session mode. It is
	// tried before it is trusted.
	//
	// The default opens a connection with the configuration of the pool, and
	// gives up, with [errors.ErrUnsupported], where that leads to a pooler of
	// any kind. Who needs no more than that has nothing to do: without
	// notifications those who wait look again and again.
	Listen func(ctx context.Context) (*pgx.Conn, error)
}

func (c Config) schema() string { return cmp.Or(c.Schema, "easyauth") }

// checkSchema refuses what PostgreSQL would cut short.
func checkSchema(name string) error {
	const longest = 63
	if len(name) > longest {
		return errors.New("Config.Schema is longer than 63 bytes: choose a shorter name")
	}
	return nil
}
