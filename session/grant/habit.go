package grant

import "github.com/goeasyauth/easyauth/providers"

// habit is what the refreshes of one grant have shown of the provider's way with
// a refresh token that was used.
type habit uint8

const (
	unseen  habit = iota
	keeps         // it returned the same one, or none, and never a new one
	rotates       // it returned a new one
)

// learn notes one more refresh.
func (r *record) learn(rotated bool) {
	switch {
	case rotated:
		r.Habit = rotates
	case r.Habit == unseen:
		r.Habit = keeps
	}
}

// known is the policy with what this grant has learnt where nobody told it.
func (r *record) known(p providers.RefreshPolicy) providers.RefreshPolicy {
	if p.Class != providers.Learnt {
		return p
	}
	p.Class = providers.Strict
	if r.Habit == keeps && !p.Wide {
		p.Class = providers.Reusable
	}
	return p
}
