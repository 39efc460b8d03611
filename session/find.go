package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// Open returns the session of this id, for work outside a request: a job, an
// administrator's page. The id is not a secret and opens no door by itself; who
// may name one is for the application to say. Errors: ErrNone, ErrUnavailable.
//
// What is done with the session does not count as its user being there.
func (m *Manager) Open(ctx context.Context, id string) (*Session, error) {
	if !wellFormed(id) {
		return nil, fmt.Errorf("%w: malformed id", ErrNone)
	}
	return m.load(ctx, id, sessionKey(id))
}

// Sessions returns the sessions of a user that live, the latest sign-in first.
// User names them by Provider, Issuer and ID. The error is ErrUnavailable, or an
// errors.ErrUnsupported where the store cannot search.
func (m *Manager) Sessions(ctx context.Context, user User) ([]*Session, error) {
	tag, err := user.tag()
	if err != nil {
		return nil, err
	}
	ids, err := m.tagged(ctx, tag)
	if err != nil {
		return nil, err
	}
	sessions, err := m.loadAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	sessions = slices.DeleteFunc(sessions, func(s *Session) bool { return s == nil })
	slices.SortFunc(sessions, func(a, b *Session) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return sessions, nil
}

// tag is the tag of the user's sessions. A user who is not named in full has
// none: to find nothing would look like having ended everything.
func (u User) tag() (string, error) {
	if u.Provider == "" || u.Issuer == "" || u.ID == "" {
		return "", errors.New("session: user refused: Provider, Issuer and ID are needed")
	}
	return userTag(u.Provider, u.Issuer, u.ID), nil
}

// tagged returns the ids of the sessions whose rows carry tag.
func (m *Manager) tagged(ctx context.Context, tag string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
	defer cancel()
	keys, err := store.Tagged(ctx, m.store, tag)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, fmt.Errorf("session: this store cannot find sessions by user; memstore, sqlitestore, redisstore and pgstore can: %w", err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	ids := keys[:0]
	for _, key := range keys {
		if strings.HasPrefix(key, keyPrefix) && strings.HasSuffix(key, sessionSuffix) {
			ids = append(ids, key[len(keyPrefix):len(key)-len(sessionSuffix)])
		}
	}
	return ids, nil
}

// loadAll returns the sessions of these ids in their order, nil for one that is
// over.
func (m *Manager) loadAll(ctx context.Context, ids []string) ([]*Session, error) {
	keys := make([]string, 0, 2*len(ids))
	for _, id := range ids {
		keys = append(keys, sessionKey(id), grantKey(id))
	}
	rows, err := m.rows(ctx, keys)
	if err != nil {
		return nil, err
	}
	sessions := make([]*Session, len(ids))
	for i, id := range ids {
		sessions[i], _ = m.open(ctx, id, keys[2*i+1], rows[2*i:2*i+2])
	}
	return sessions, nil
}
