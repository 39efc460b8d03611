package session

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// Readiness is what Ready found out. It marshals to a small JSON object without
// names of hosts, causes or secrets.
type Readiness struct {
	Ready  bool    `json:"ready"`  // every check is OK
	Checks []Check `json:"checks"` // "store", "clock", then each provider
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"` // "store", "clock", "provider:" and its alias
	OK     bool   `json:"ok"`
	Reason Reason `json:"reason,omitempty"` // why not; or, of one that is OK, what to mind
	Cause  error  `json:"-"`                // where there is one; for a log
}

const (
	// checkTimeout bounds each check, and as they run at once all of them.
	checkTimeout = 2 * time.Second
	// readyFor is how long a result is given to whoever asks next.
	readyFor = time.Second
	// clocksApart is how far the clocks of machine and store may differ.
	clocksApart = time.Minute
)

// readiness is the last result, shared by all who ask.
type readiness struct {
	mu   sync.Mutex
	at   time.Time
	last Readiness
}

// Ready reports whether people can sign in here and stay so: the store answers
// and compares and swaps, its clock and this machine's are within a minute, and
// each provider's metadata was read, with a way to authenticate there. A
// provider that answered once stays ready while it is down.
//
// It takes two seconds at most. The result is shared for a second, so that a
// route which shows it is no way to burden the store; a change is logged.
func (m *Manager) Ready(ctx context.Context) Readiness {
	r := &m.ready
	r.mu.Lock() // whoever comes meanwhile gets the same result
	defer r.mu.Unlock()
	if time.Since(r.at) < readyFor && r.last.Checks != nil {
		return r.last
	}
	now := m.check(context.WithoutCancel(ctx))
	m.logChanges(ctx, r.last, now)
	r.at, r.last = time.Now(), now
	return now
}

// check makes all checks at once.
func (m *Manager) check(ctx context.Context) Readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	names := slices.Sorted(maps.Keys(m.providers))
	checks := make([]Check, 2+len(names))
	var work sync.WaitGroup
	work.Go(func() { checks[0], checks[1] = m.checkStore(ctx) })
	for i, name := range names {
		work.Go(func() { checks[2+i] = checkProvider(ctx, m.providers[name]) })
	}
	work.Wait()
	return Readiness{Ready: !slices.ContainsFunc(checks, func(c Check) bool { return !c.OK }), Checks: checks}
}

// checkStore reads, writes and deletes a row of its own.
func (m *Manager) checkStore(ctx context.Context) (rows, clock Check) {
	rows, clock = Check{Name: "store"}, Check{Name: "clock"}
	if m.checkBackend != nil {
		if err := m.checkBackend(ctx); err != nil {
			rows.Reason, rows.Cause = ReasonStoreUnfit, err
		}
	}
	asked := time.Now()
	key := "easyauth:probe:" + rand.Text()
	there, err := m.store.Load(ctx, key)
	if err != nil {
		rows.Reason, rows.Cause = ReasonStoreUnavailable, err
		clock.Reason = ReasonStoreUnavailable
		return rows, clock
	}
	machine := asked.Add(time.Since(asked) / 2)
	if apart := there[0].Now.Sub(machine).Abs(); apart > clocksApart {
		clock.Reason, clock.Cause = ReasonClocksApart, errors.New("session: machine and store are "+apart.Round(time.Second).String()+" apart")
	}
	clock.OK = clock.Reason == ""

	probe := store.Entry{Value: []byte{format}, ExpiresAt: there[0].Now.Add(time.Minute)}
	if _, err = m.store.Save(ctx, key, probe); err == nil {
		if _, err := m.store.Save(ctx, key, probe); !errors.Is(err, store.ErrConflict) {
			rows.Reason, rows.Cause = ReasonStoreUnfit, errors.Join(errors.New("session: the store took a row that it had already"), err)
		}
		err = m.store.Delete(ctx, key)
	}
	if err != nil {
		rows.Reason, rows.Cause = ReasonStoreUnavailable, err
	}
	rows.OK = rows.Reason == ""
	return rows, clock
}

// checkProvider asks the provider whether it can be used, and looks at what it
// would ask for at a sign-in.
func checkProvider(ctx context.Context, p providers.Provider) Check {
	c := Check{Name: "provider:" + p.Name()}
	if d, ok := p.(interface{ Ready(context.Context) error }); ok {
		if err := d.Ready(ctx); err != nil {
			c.Reason, c.Cause = ReasonProviderUnavailable, err
			var pe *providers.Error
			if errors.As(err, &pe) && pe.Kind == providers.Misconfigured {
				c.Reason = ReasonProviderMisconfigured
			}
			return c
		}
	}
	c.OK = true
	if d, ok := p.(interface{ AsksForRefresh() bool }); ok && !d.AsksForRefresh() {
		c.Reason = ReasonNoOfflineAccess
	}
	return c
}

// logChanges writes one record for each check that says something else than
// before.
func (m *Manager) logChanges(ctx context.Context, before, now Readiness) {
	for i, c := range now.Checks {
		was := Check{OK: true}
		if before.Checks != nil {
			was = before.Checks[i]
		}
		switch {
		case c.OK == was.OK && c.Reason == was.Reason:
		case c.OK && c.Reason == "":
			m.log.InfoContext(ctx, "ready again", "check", c.Name)
		case c.OK:
			m.log.WarnContext(ctx, "ready, but", "check", c.Name, "reason", string(c.Reason))
		default:
			m.log.ErrorContext(ctx, "not ready", "check", c.Name, "reason", string(c.Reason), "cause", c.Cause)
		}
	}
}
