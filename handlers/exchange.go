package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// exchange trades a code for a session token: GET /.auth/login/<provider>/token
// (contract 1.5). Whoever found a code can try one verifier, and then nobody has
// anything: what the code stands for is gone before they are told that it was wrong.
func (h *Handler) exchange(w http.ResponseWriter, r *http.Request, p providers.Provider) {
	if h.stranger(r) {
		h.refuseProgram(w, r, nil, http.StatusForbidden, respond.CrossSite, "", nil)
		return
	}
	params, ok := query(r)
	code, verifier := params["authorization_code"], params["code_verifier"]
	if !ok || len(code) != 1 || len(verifier) != 1 || code[0] == "" || verifier[0] == "" {
		h.refuseProgram(w, r, p, http.StatusBadRequest, respond.BadRequest, "Exactly one authorization_code and one code_verifier are expected.", nil)
		return
	}
	challenge, id, ok := h.codes.open(p, code[0])
	if !ok {
		h.refuseProgram(w, r, p, http.StatusBadRequest, respond.SignInInvalid, badCode, nil)
		return
	}
	if !answers(verifier[0], challenge) {
		if err := h.sessions.Disclaim(r.Context(), id); err != nil {
			h.refuseLogin(w, r, p, err)
			return
		}
		h.refuseProgram(w, r, p, http.StatusBadRequest, respond.SignInInvalid, badCode, nil)
		return
	}
	s, err := h.sessions.Claim(r.Context(), id)
	switch {
	case errors.Is(err, session.ErrNone):
		h.refuseProgram(w, r, p, http.StatusBadRequest, respond.AttemptUsed, badCode, nil)
	case err != nil:
		h.refuseLogin(w, r, p, err)
	case !h.answerLogin(w, r, p, s):
		h.abandon(r.Context(), s)
	}
}

// badCode does not tell a wrong code from a wrong verifier.
const badCode = "The authorization code, or its verifier, is not valid."

// answers reports whether the verifier is the one of the challenge (RFC 7636
// section 4.6). The SDKs' verifiers are Base64, and a plus sign that is not
// escaped arrives as a space.
func answers(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(strings.ReplaceAll(verifier, " ", "+")))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}
