package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// rowsAtOnce is how many rows are read in one round trip.
const rowsAtOnce = 256

// rows reads any number of rows. The error is ErrUnavailable.
func (m *Manager) rows(ctx context.Context, keys []string) ([]store.Entry, error) {
	rows := make([]store.Entry, 0, len(keys))
	for chunk := range slices.Chunk(keys, rowsAtOnce) {
		ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
		some, err := m.store.Load(ctx, chunk...)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// write replaces one row. The error is store.ErrConflict or ErrUnavailable.
func (m *Manager) write(ctx context.Context, key string, e store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
	defer cancel()
	_, err := m.store.Save(ctx, key, e)
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// drop deletes one row. The error is ErrUnavailable.
func (m *Manager) drop(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
	defer cancel()
	if err := m.store.Delete(ctx, key); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// gone reports whether nothing is left of a row, or only the mark that stands in
// its place while it is deleted.
func gone(e store.Entry) bool { return len(e.Value) <= len(removed) }
