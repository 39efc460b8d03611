package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/store"
)

// Spend marks id as used until then and reports whether it was the first to do
// so, across all processes that share the store: a login attempt is finished at
// most once (docs/threats.md REP1-REP3). The error is ErrUnavailable.
func (m *Manager) Spend(ctx context.Context, id string, until time.Time) (bool, error) {
	mark := append([]byte{format}, rand.Text()...)
	err := m.write(ctx, spentKey(id), store.Entry{Value: mark, ExpiresAt: until})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, store.ErrConflict):
		return false, nil
	}
	// The store may have taken the mark and only its answer be lost. One that is
	// ours is no reason to refuse the same attempt the next time.
	if rows, again := m.rows(ctx, []string{spentKey(id)}); again == nil && bytes.Equal(rows[0].Value, mark) {
		return true, nil
	}
	return false, err
}

// Spent reports whether id is marked, for whoever marks it only once what the
// mark stands for is done. The error is ErrUnavailable.
func (m *Manager) Spent(ctx context.Context, id string) (bool, error) {
	rows, err := m.rows(ctx, []string{spentKey(id)})
	return err == nil && rows[0].Version != 0, err
}

func spentKey(id string) string { return "easyauth:spent:" + id }
