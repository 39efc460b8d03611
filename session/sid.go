package session

import (
	"crypto/sha256"
	"encoding/hex"
)

// sidVersion is the claim ver of session tokens: how their sid is made.
const sidVersion = "4"

// SID names the user in the form of App Service, "sid:" and 32 hexadecimal
// digits: the same in every session of the user, whatever keys are in use, and
// saying nothing about who that is. It is made of Provider, Issuer and ID, never
// of an e-mail address; a User who is not named in full has none, because two
// such users would share it (contract 3.2).
func (u User) SID() string {
	if u.Provider == "" || u.Issuer == "" || u.ID == "" {
		return ""
	}
	sum := sha256.Sum256(joined("easyauth sid "+sidVersion, u.Provider, u.Issuer, u.ID))
	return "sid:" + hex.EncodeToString(sum[:16])
}
