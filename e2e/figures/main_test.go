package figures_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
)

// TestMain lets those tests that do not measure time run beside each other, also
// where there are few processors: they mostly wait. And it keeps the client of
// Redis from reporting each server that ends.
func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if !told {
		flag.Set("test.parallel", "6")
	}
	logging.Disable()
	os.Exit(m.Run())
}

// sized is the size of a test: the one of every change, or the full one.
func sized[T any](short, full T) T {
	if os.Getenv("EASYAUTH_SOAK") == "1" {
		return full
	}
	return short
}

// spread says how a number of times are distributed.
type spread []time.Duration

// quantile is the time that the given part of all times does not exceed.
func (s spread) quantile(part float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// String writes the median, the 99th percentile and the longest.
func (s spread) String() string {
	unit := time.Millisecond / 10
	if s.quantile(0.5) < 10*time.Millisecond {
		unit = time.Microsecond / 10
	}
	return fmt.Sprintf("p50 %v, p99 %v, longest %v of %d",
		s.quantile(0.5).Round(unit), s.quantile(0.99).Round(unit), s.quantile(1).Round(unit), len(s))
}
