package simulation_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// row is a record as it rests in the store, opened: of a session or of a grant.
type row struct {
	text string

	// Of a session.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Seen    time.Time `json:"seen"`
	Subject string    `json:"sub"`

	// Of a grant.
	Gen     uint64               `json:"gen"`
	Renewed time.Time            `json:"refreshed"`
	RT      string               `json:"rt"`
	Dead    string               `json:"dead"`
	Attempt *attemptRow          `json:"attempt"`
	Backoff waiting              `json:"backoff"`
	Access  map[string]accessRow `json:"access"`
	Refused map[string]waiting   `json:"refused"`
}

// attemptRow is an attempt as a grant's row holds it.
type attemptRow struct {
	ID       string    `json:"id"`
	First    time.Time `json:"first"`
	Deadline time.Time `json:"deadline"`
	Probe    bool      `json:"probe"`
}

// waiting is a back-off.
type waiting struct {
	Until time.Time      `json:"until"`
	N     int            `json:"n"`
	Kind  providers.Kind `json:"kind"`
}

type accessRow struct {
	Token     string    `json:"at"`
	Gen       uint64    `json:"gen"`
	IssuedAt  time.Time `json:"iat"`
	RefreshOn time.Time `json:"refresh"`
	HardOn    time.Time `json:"hard"`
	ExpiresAt time.Time `json:"exp"`
}

// usable reports whether the code may take the token for one that lives.
func (a accessRow) usable(now time.Time) bool {
	return a.Token != "" && (a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt))
}

func (a accessRow) phase(now time.Time) grant.Phase {
	switch {
	case a.Token == "":
		return grant.Missing
	case a.ExpiresAt.IsZero():
		return grant.Unknown
	case !now.Before(a.ExpiresAt):
		return grant.Expired
	case !now.Before(a.HardOn):
		return grant.Hard
	case !now.Before(a.RefreshOn):
		return grant.Aging
	}
	return grant.Fresh
}

func readRow(key string, value []byte) *row {
	r := &row{text: string(value)}
	if len(value) > 1 && (isGrant(key) || isSession(key)) {
		if err := json.Unmarshal(value[1:], r); err != nil {
			panic("simulation: the format of " + key + " is not the one that the ledger reads: " + err.Error())
		}
	}
	return r
}

// ends reports whether the row is one that says that there is none any more,
// until it is deleted.
func (r *row) ends(key string) bool {
	return isGrant(key) && (r.text == "" || r.text == "=") || isSession(key) && r.text == "-"
}

func isGrant(key string) bool { return strings.HasSuffix(key, ":grant") }

func isSession(key string) bool { return strings.HasSuffix(key, ":session") }

// loginOf is the session's id in a key.
func loginOf(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	id, _, _ := strings.Cut(rest, "}")
	return id
}

func grantKey(id string) string { return "easyauth:{" + id + "}:grant" }

func sessionKey(id string) string { return "easyauth:{" + id + "}:session" }
