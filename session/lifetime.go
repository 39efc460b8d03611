package session

import "time"

// State is where a session stands in its life.
type State uint8

const (
	Active State = iota
	Grace        // expired; the provider may renew it without the user
	Over
)

// String returns the lower-case name.
func (s State) String() string { return [...]string{"active", "grace", "over"}[s] }

// lifetimes are the configured spans; everything here is a pure function of now.
type lifetimes struct {
	session, grace time.Duration
	idle, absolute time.Duration // 0: off
	derived        bool          // the provider decides
}

// ceiling is when the session ends whatever happens; zero: never.
func (l lifetimes) ceiling(r *record) time.Time {
	if l.absolute <= 0 {
		return time.Time{}
	}
	return r.CreatedAt.Add(l.absolute)
}

// expiry is the end of a session that begins, or is renewed, at now.
func (l lifetimes) expiry(r *record, now time.Time) time.Time {
	return earlier(now.Add(l.session), l.ceiling(r))
}

// first is the end of a session that begins at now, by tokens that live until
// then; zero: not told. A provider whose tokens are over before they arrive has
// told nothing (Azure/azure-mobile-apps#44).
func (l lifetimes) first(r *record, now time.Time, tokens ...time.Time) time.Time {
	for _, until := range tokens {
		if l.derived && until.After(now) {
			return earlier(until, l.ceiling(r))
		}
	}
	return l.expiry(r, now)
}

// renewed is the end of a session that is renewed at now, by an access token
// that lives until then; zero: not told. No renewal takes anything away.
func (l lifetimes) renewed(r *record, now, token time.Time) time.Time {
	until := l.expiry(r, now)
	if !l.derived || token.IsZero() {
		return until
	}
	if until = earlier(until, token); until.Before(r.ExpiresAt) {
		return r.ExpiresAt
	}
	return until
}

// graceEnd is until when an expired session may be renewed.
func (l lifetimes) graceEnd(r *record) time.Time {
	return earlier(r.ExpiresAt.Add(l.grace), l.ceiling(r))
}

// end is when the session is over if nothing becomes of it.
func (l lifetimes) end(r *record) time.Time {
	if l.idle <= 0 {
		return l.graceEnd(r)
	}
	return earlier(l.graceEnd(r), r.SeenAt.Add(l.idle))
}

func (l lifetimes) state(r *record, now time.Time) State {
	switch {
	case !now.Before(l.end(r)):
		return Over
	case now.Before(r.ExpiresAt):
		return Active
	}
	return Grace
}

// why is the reason for which a session is over.
func (l lifetimes) why(r *record, now time.Time) Reason {
	if now.Before(l.graceEnd(r)) {
		return ReasonIdle
	}
	return ReasonExpired
}

// touchEvery is how coarse "last seen" is: a write per request would cost more
// than the precision is worth.
func (l lifetimes) touchEvery() time.Duration { return min(time.Minute, l.idle/4) }

// earlier returns the earlier of the two; a zero limit is none.
func earlier(t, limit time.Time) time.Time {
	if !limit.IsZero() && limit.Before(t) {
		return limit
	}
	return t
}
