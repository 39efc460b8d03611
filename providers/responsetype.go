package providers

import "strconv"

// ResponseType is what an authorization response brings.
type ResponseType uint8

const (
	// CodeOnly: a code, which is traded for tokens with the client's secret (OpenID
	// Connect Core 3.1). The zero value.
	CodeOnly ResponseType = iota
	// CodeWithIDToken: a code, and an ID token beside it that vouches for it (Core
	// 3.3, the hybrid flow). Both are posted, never part of a URL, and the code is
	// traded as ever.
	CodeWithIDToken
	// InsecureIDTokenOnly: an ID token, posted, and no code (Core 3.2, the implicit
	// flow). There is no client secret then, and nothing to refresh. It is weaker:
	// nothing but the browser stands between whoever can read its traffic and an
	// ID token, and the provider never learns who took it (RFC 9700 section 2.1.2).
	InsecureIDTokenOnly
)

// String returns the value of the parameter response_type.
func (t ResponseType) String() string {
	if names := [...]string{"code", "code id_token", "id_token"}; int(t) < len(names) {
		return names[t]
	}
	return "type" + strconv.Itoa(int(t))
}

// front reports whether an ID token comes by way of the browser.
func (t ResponseType) front() bool { return t != CodeOnly }
