//go:build race

package simulation_test

// The race detector makes a seed ten times as slow.
const defaultSeeds = 20
