package grant

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// Phase says how stale an access token is: a pure function of now.
type Phase uint8

const (
	Missing Phase = iota // there is none
	Fresh                // use it
	Aging                // use it, renew behind the request
	Hard                 // about to die: renew now, use it if that fails
	Expired              // of no use
	Unknown              // lifetime not told: use it until an API refuses it
)

// String returns the lower-case name.
func (p Phase) String() string {
	return [...]string{"missing", "fresh", "aging", "hard", "expired", "unknown"}[p]
}

// usable reports whether an API would still take the token.
func (p Phase) usable() bool { return p == Fresh || p == Aging || p == Hard || p == Unknown }

func (a access) phase(now time.Time) Phase {
	switch {
	case a.Token == "":
		return Missing
	case a.ExpiresAt.IsZero():
		return Unknown
	case !now.Before(a.ExpiresAt):
		return Expired
	case a.IssuedAt.After(now.Add(skew)):
		return Aging // dated by a clock that was set back since: nobody knows how old it is
	case !now.Before(a.HardOn):
		return Hard
	case !now.Before(a.RefreshOn):
		return Aging
	}
	return Fresh
}

// age fills in the phases of a token that lives for life from a.IssuedAt on.
//
// It ages min(5 min, 20 %) before its end, or when the provider says so, less a
// jitter of up to a tenth of its life: a service restart that signs thousands
// in within a second must not have them refresh within a second. The jitter is
// derived from grant and generation and stored, because one that is drawn anew
// on every look moves the moment back and forth. A token just issued is always
// fresh for half of its time.
func (a *access) age(life, refreshIn time.Duration, key string, gen uint64) {
	if life <= 0 {
		return
	}
	fresh := life - min(5*time.Minute, life/5)
	if refreshIn > 0 {
		fresh = min(fresh, refreshIn)
	}
	wait := max(fresh-jitter(life/10, key, gen), fresh/2)
	a.ExpiresAt = a.IssuedAt.Add(life)
	a.RefreshOn = a.IssuedAt.Add(wait)
	a.HardOn = a.ExpiresAt.Add(-min(30*time.Second, life/20))
}

// jitter returns a duration below limit that is always the same for one
// generation of one grant.
func jitter(limit time.Duration, key string, gen uint64) time.Duration {
	if limit <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(key + "/" + strconv.FormatUint(gen, 10)))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(limit))
}
