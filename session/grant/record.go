package grant

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// record is what one grant stores. All its times are on the store's clock, the
// only clock that processes share. A record in memory is never changed: a
// change is a copy that wins a compare-and-swap.
//
// A record that is gone means that the login ended. Nothing ever creates it
// again: keys are made of random cookie values, and every write but the first
// names the version it replaces.
type record struct {
	Provider string `json:"provider"`
	Client   string `json:"client,omitempty"` // whose tokens these are, see providers.Registered
	// Gen counts the refresh tokens of this grant. A refresh commits if Gen is
	// still the one whose token it presented, whoever holds the attempt.
	Gen              uint64    `json:"gen"`
	RefreshToken     string    `json:"rt,omitempty"`
	RefreshExpiresAt time.Time `json:"rt_exp,omitzero"`
	RefreshedAt      time.Time `json:"refreshed"` // when the provider last issued tokens
	IDToken          string    `json:"id_token,omitempty"`
	AccessSecret     string    `json:"at_secret,omitempty"` // of the login's own access token, see providers.Tokens
	AuthToken        string    `json:"auth_token,omitempty"`
	Scope            string    `json:"scope,omitempty"`
	// Dead is why the provider ended the grant ("revoked", ...); empty while it
	// lives. A dead grant keeps no refresh token.
	Dead string `json:"dead,omitempty"`
	// Attempt is both the lease on Gen's refresh token and the journal that
	// says the token may have been presented.
	Attempt *attempt          `json:"attempt,omitempty"`
	Backoff backoff           `json:"backoff,omitzero"`
	Access  map[string]access `json:"access,omitempty"` // by Audience.key
	// Refused are the audiences that the provider does not want to issue tokens
	// for. They say nothing about the grant: its other audiences go on.
	Refused map[string]backoff `json:"refused,omitempty"`
	Warned  bool               `json:"warned,omitempty"` // ReauthSoon was told for this refresh token
	Habit   habit              `json:"habit,omitempty"`  // what its refreshes have shown
}

// access is one access token.
type access struct {
	Token     string    `json:"at"`
	Gen       uint64    `json:"gen"` // of the refresh that brought it
	Scope     string    `json:"scope,omitempty"`
	IssuedAt  time.Time `json:"iat"`
	RefreshOn time.Time `json:"refresh,omitzero"`
	HardOn    time.Time `json:"hard,omitzero"`
	ExpiresAt time.Time `json:"exp,omitzero"` // zero: lifetime not told
}

// maxAudiences bounds the access tokens kept beside the login's own; the one
// that was issued longest ago makes room.
const maxAudiences = 16

// format is the first byte of an encoded record. A record of another format is
// read as absent, never as an error (docs/threats.md STO2).
const format = '1'

func (r *record) encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return append([]byte{format}, b...), nil
}

// decode returns nil for anything that is not a record of this format.
func decode(e store.Entry) *record {
	if len(e.Value) == 0 || len(e.Value) > store.MaxValueBytes || e.Value[0] != format {
		return nil
	}
	var r record
	if json.Unmarshal(e.Value[1:], &r) != nil {
		return nil
	}
	return &r
}

// clone returns a copy whose maps and pointers are its own.
func (r *record) clone() *record {
	c := *r
	c.Access = make(map[string]access, len(r.Access)+1)
	maps.Copy(c.Access, r.Access)
	c.Refused = maps.Clone(r.Refused)
	if r.Attempt != nil {
		a := *r.Attempt
		c.Attempt = &a
	}
	return &c
}

// secret is the refresh token on its way to the provider.
func (r *record) secret() providers.Secret { return providers.NewSecret(r.RefreshToken) }

// keep stores a as the token of aud and makes room for it.
func (r *record) keep(aud string, a access) {
	r.Access[aud] = a
	for len(r.Access) > maxAudiences+1 {
		oldest := ""
		for k, v := range r.Access {
			if k != "" && k != aud && (oldest == "" || v.IssuedAt.Before(r.Access[oldest].IssuedAt)) {
				oldest = k
			}
		}
		delete(r.Access, oldest)
	}
}

// refuse notes that the provider issues no token for aud, for now.
func (r *record) refuse(aud string, f failure, now time.Time) {
	if r.Refused == nil || len(r.Refused) >= maxAudiences {
		r.Refused = make(map[string]backoff) // forgetting a refusal costs one more
	}
	r.Refused[aud] = backoff{}.after(f, now)
}
