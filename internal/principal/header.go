package principal

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
)

const (
	// MaxHeader is the most bytes that Header returns (docs/threats.md R13).
	MaxHeader = 16 << 10
	// maxName is the most bytes of a name that go into a header.
	maxName = 256
)

// Header is the value of X-MS-CLIENT-PRINCIPAL: the principal's JSON in padded
// standard Base64, at most [MaxHeader] bytes. A principal that is larger is
// trimmed, and the request is served all the same (docs/threats.md HDR9): groups go
// first, the last one before the others; if that is not enough, the longest
// claims go, but never the name, which is cut to 256 bytes, the subject or the
// object id. An application that must see every group reads the claims of the
// session, which are complete.
func (p Principal) Header() (string, error) {
	text, err := respond.Marshal(p)
	if err != nil {
		return "", err
	}
	if room := base64.StdEncoding.DecodedLen(MaxHeader); len(text) > room {
		if text, err = respond.Marshal(p.trimmed(len(text) - room)); err != nil {
			return "", err
		}
	}
	return base64.StdEncoding.EncodeToString(text), nil
}

// trimmed returns p without claims whose JSON is at least excess bytes long, if
// there are that many that may go.
func (p Principal) trimmed(excess int) Principal {
	var groups, others []int // indexes of what may go
	kept := slices.Clone(p.Claims)
	sizes := make([]int, len(kept))
	for i, c := range kept {
		sizes[i] = size(c)
		switch c.Typ {
		case p.NameTyp:
			kept[i].Val = cut(c.Val, maxName)
			excess -= sizes[i] - size(kept[i])
		case typIdentifier, typObject:
		case typGroups:
			groups = append(groups, i)
		default:
			others = append(others, i)
		}
	}
	slices.Reverse(groups)
	slices.SortStableFunc(others, func(a, b int) int { return sizes[b] - sizes[a] })
	gone := make([]bool, len(kept))
	for _, i := range slices.Concat(groups, others) {
		if excess <= 0 {
			break
		}
		gone[i] = true
		excess -= sizes[i]
	}
	p.Claims = make([]Claim, 0, len(kept))
	for i, c := range kept {
		if !gone[i] {
			p.Claims = append(p.Claims, c)
		}
	}
	return p
}

// size is how many bytes of JSON the claim takes up, its comma included.
func size(c Claim) int {
	text, err := respond.Marshal(c)
	if err != nil {
		return 0 // two strings always encode
	}
	return len(text) + 1
}

// NameHeader is the value of X-MS-CLIENT-PRINCIPAL-NAME: the name, cut to 256
// bytes, with every byte outside printable ASCII and every "%" percent-encoded
// (docs/threats.md HDR8). A reader gets the name back with url.PathUnescape; a plain
// name or address stands there as it is.
func (p Principal) NameHeader() string { return printable(cut(p.Name(), maxName)) }

// IDHeader is the value of X-MS-CLIENT-PRINCIPAL-ID, encoded as NameHeader is
// and never cut, so that two users never share one. A subject has at most 255
// characters.
func (p Principal) IDHeader() string { return printable(p.ID()) }

// Time writes t as App Service does: UTC with seven digits of a second.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// cut returns at most n bytes of s and splits no character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func printable(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}
