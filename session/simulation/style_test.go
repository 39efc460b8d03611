package simulation_test

import (
	"time"
)

// style is what a seed decides for its whole hour.
type style struct {
	lifetime, grace, idle, absolute time.Duration

	accessLife   time.Duration // of access tokens
	untold       float64       // how often their life is not told
	storeLatency time.Duration
	endOnRevoke  bool
	lazyTokens   bool
	think        time.Duration // between two visits of a user
	noise        float64       // how many calls go wrong in a storm
	jumps        bool          // the store's clock is put right now and then
	maxCalls     int           // at one provider, of one replica; 0: as many as the code allows by itself
}

func newStyle(d dice) style {
	return style{
		lifetime:     pick[time.Duration](d, 8, 12, 20, 90) * time.Minute,
		grace:        pick[time.Duration](d, -1, 5, 15, 60) * time.Minute,
		idle:         pick[time.Duration](d, 0, 0, 8, 20) * time.Minute,
		absolute:     pick[time.Duration](d, 0, 0, 35, 50) * time.Minute,
		accessLife:   pick[time.Duration](d, 60, 90, 150, 300) * time.Second,
		untold:       pick(d, 0, 0, 0.05),
		storeLatency: pick(d, 300*time.Microsecond, time.Millisecond, 4*time.Millisecond),
		endOnRevoke:  d.chance(0.3),
		lazyTokens:   d.chance(0.2),
		think:        pick[time.Duration](d, 60, 90, 150) * time.Second,
		noise:        pick(d, 0.05, 0.15, 0.3),
		jumps:        d.chance(0.4),
		maxCalls:     pick(d, 0, 0, 1, 2),
	}
}
