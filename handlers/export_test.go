package handlers

import (
	"net/url"

	"github.com/goeasyauth/easyauth/providers"
)

// Targets judges redirect targets as a Handler of this configuration does.
type Targets struct{ targets }

func NewTargets(base *url.URL, prefix string, allowed []string) (Targets, error) {
	t, err := newTargets(base, prefix, allowed)
	return Targets{t}, err
}

func (t Targets) Allows(target string) bool { return t.allows(target) }

// SealFlow returns the cookie of an attempt as a Handler with these keys and an
// https base URL sets it, whatever the attempt says.
func SealFlow(keys [][]byte, f providers.Flow) (name, value string) {
	c, err := newFlowCookies(keys, true, providers.FlowLifetime)
	if err != nil {
		panic(err)
	}
	if value, err = c.seal(f); err != nil {
		panic(err)
	}
	return c.prefix + f.ID(), value
}
