package simulation_test

import (
	"math/rand/v2"
	"time"
)

// dice is a stream of chance. Everything that happens has one of its own, made
// of the seed, of what it is and of how often that has happened before: what one
// actor draws does not depend on what the others did meanwhile.
type dice struct{ *rand.Rand }

func (w *world) dice(who string, n int) dice {
	return dice{rand.New(rand.NewPCG(w.seed, fnv(who)^uint64(n)*0x9e3779b97f4a7c15))}
}

// fnv is FNV-1a: a hash that is the same in every process.
func fnv(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// chance is true once in a while: with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between draws from [from, to), down to the nanosecond.
func (d dice) between(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(d.Int64N(int64(to-from)))
}

// around draws a waiting time whose mean is given, bounded by four times it.
func (d dice) around(mean time.Duration) time.Duration {
	return min(time.Duration(d.ExpFloat64()*float64(mean)), 4*mean) + time.Duration(d.IntN(1000))
}

// pick draws one of the choices.
func pick[T any](d dice, choices ...T) T { return choices[d.IntN(len(choices))] }
