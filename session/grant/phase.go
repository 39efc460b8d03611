package grant

// Phase says how stale an access token is (refresh.md E2).
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
