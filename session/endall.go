package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// EndAll ends every session of a user, in every process, as End does, and
// returns how many it ended. User names them by Provider, Issuer and ID.
//
// An error says how many sessions are left: call again. It is ErrUnavailable, or
// an errors.ErrUnsupported where the store cannot search. A sign-in that is
// under way may come through; whoever must not sign in again is to be turned
// away before.
func (m *Manager) EndAll(ctx context.Context, user User) (int, error) {
	return m.endUser(ctx, user, ReasonEverywhere, "")
}

// EndOthers ends every other session of the user of s, for a button that says
// "sign out everywhere else". Results are those of EndAll.
func (m *Manager) EndOthers(ctx context.Context, s *Session) (int, error) {
	return m.endUser(ctx, s.User, ReasonEverywhere, s.ID)
}

// EndNamed ends the sessions that a provider's logout token names (OpenID
// Connect Back-Channel Logout 1.0, section 2.7): those of one session at the
// provider if there is a sid, and then only the subject's if one is given; else
// all of the subject's. Where both are given, the subject's sessions that came
// without a sid end too: the one that is meant may be any of them. Results are
// those of EndAll; that there is no such session is no error.
func (m *Manager) EndNamed(ctx context.Context, provider, issuer, subject, sid string) (int, error) {
	user := User{Provider: provider, Issuer: issuer, ID: subject}
	if sid == "" {
		return m.endUser(ctx, user, ReasonBackchannel, "")
	}
	if provider == "" || issuer == "" {
		return 0, errors.New("session: sid refused: a provider and its issuer are needed")
	}
	n, err := m.endTagged(ctx, provider, providerSessionTag(provider, issuer, sid), ReasonBackchannel, func(_ string, r *record) bool {
		return subject == "" || r.Subject == "" || r.Subject == subject
	})
	if subject == "" {
		return n, err
	}
	nameless, more := m.endTagged(ctx, provider, userTag(provider, issuer, subject), ReasonBackchannel, func(_ string, r *record) bool {
		return r.Subject == subject && r.ProviderSession == ""
	})
	return n + nameless, errors.Join(err, more)
}

// endUser ends the sessions of a user, except for the one of this id.
func (m *Manager) endUser(ctx context.Context, user User, why Reason, except string) (int, error) {
	tag, err := user.tag()
	if err != nil {
		return 0, err
	}
	return m.endTagged(ctx, user.Provider, tag, why, func(id string, _ *record) bool { return id != except })
}

// endAtOnce is how many sessions are ended at the same time: one that waits for
// its provider to revoke a token does not keep the others.
const endAtOnce = 8

// endTagged ends the sessions with this tag that want is true for.
func (m *Manager) endTagged(ctx context.Context, provider, tag string, why Reason, want func(id string, r *record) bool) (int, error) {
	ids, err := m.tagged(ctx, tag)
	if err != nil {
		return 0, err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = sessionKey(id)
	}
	rows, err := m.rows(ctx, keys)
	if err != nil {
		return 0, err
	}
	var (
		work  sync.WaitGroup
		slots = make(chan struct{}, endAtOnce)
		mu    sync.Mutex
		n     int
		left  []error
	)
	for i, id := range ids {
		if rows[i].Version == 0 {
			continue // over since
		}
		r := m.decode(id, rows[i])
		if r == nil { // a replica with other keys may be able to read it
			r = &record{Provider: provider}
		}
		if !want(id, r) {
			continue
		}
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			did, err := m.end(ctx, Event{SessionID: id, Provider: r.Provider, UserID: r.Subject, Reason: why})
			mu.Lock()
			defer mu.Unlock()
			if did {
				n++
			}
			if err != nil {
				left = append(left, err)
			}
		})
	}
	work.Wait()
	if len(left) > 0 {
		return n, fmt.Errorf("session: %d sessions ended and %d left: %w", n, len(left), errors.Join(left...))
	}
	return n, nil
}
