package openstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/pgstore"
)

func postgres(address string, migrate bool) (backend, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return backend{}, fmt.Errorf("-store: this address of a Postgres database cannot be used: %w", unquoted(err))
	}
	// A connection that died is found by the request that uses it and is tried
	// again; a ping before each would double the round trips.
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	name := "Postgres at " + place(address)
	return backend{name, func(ctx context.Context) (store.Store, closers, error) {
		pool, err := pgxpool.NewWithConfig(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		st := pgstore.New(pool, pgstore.Config{})
		opened := closers{func() error { pool.Close(); return nil }, st.Close}
		if migrate {
			if err := st.Migrate(ctx); err != nil {
				return nil, opened, fmt.Errorf("%s cannot be prepared: %w", name, err)
			}
		}
		if err := st.Check(ctx); err != nil {
			return nil, opened, fmt.Errorf("%s cannot be used (is it running, and prepared with -migrate?): %w", name, err)
		}
		return st, opened, nil
	}}, nil
}
