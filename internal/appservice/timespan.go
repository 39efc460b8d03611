package appservice

import (
	"regexp"
	"strconv"
	"time"
)

var timespanPattern = regexp.MustCompile(`^(?:([0-9]{1,5})\.)?([01]?[0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])$`)

// parseTimespan reads hh:mm:ss and d.hh:mm:ss, the part of .NET's time spans that
// means the same to everybody: "24:00:00" are 24 days there.
func parseTimespan(s string) (time.Duration, bool) {
	m := timespanPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	var span time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1]) // the pattern lets digits pass only
		span += time.Duration(n) * unit
	}
	return span, true
}

// maxHours is ten years, which no session outlives.
const maxHours = 10 * 365 * 24

var hoursPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func parseHours(s string) (time.Duration, bool) {
	h, err := strconv.ParseFloat(s, 64)
	if err != nil || !hoursPattern.MatchString(s) || h > maxHours {
		return 0, false
	}
	return time.Duration(h * float64(time.Hour)), true
}
