//go:build !race

package providers_test

// raceEnabled: the race detector makes time limits meaningless.
const raceEnabled = false
